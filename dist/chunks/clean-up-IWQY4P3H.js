
import{c as a,d as b,e as c,f as d,g as e}from"./chunk-UQEL66VB.js";import"./chunk-I5J6O6QO.js";import"./chunk-KOK2XVZA.js";import"./chunk-DZTHFAOV.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{b as endRun,e as isSwarmManager,c as removeDeadRuns,d as removeJournalledRuns,a as removeRun};
