
import{c as a,d as b,e as c,f as d,g as e}from"./chunk-HIKOVNQY.js";import"./chunk-GL5GMD55.js";import"./chunk-KOK2XVZA.js";import"./chunk-F4VXOONW.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{b as endRun,e as isSwarmManager,c as removeDeadRuns,d as removeJournalledRuns,a as removeRun};
