
import{a,b,c,d}from"./chunk-QGOVG6IC.js";import"./chunk-AQRJFK7U.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{d as latestStable,b as listReleases,a as parsePattern,c as releaseOf};
