
import{h as a,i as b,j as c,k as d,l as e}from"./chunk-RQ6UP7G2.js";import"./chunk-4STMGLIO.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{b as endRun,e as isSwarmManager,c as removeDeadRuns,d as removeJournalledRuns,a as removeRun};
