
import{a,b,c,d}from"./chunk-GQYWLKFH.js";import"./chunk-AQRJFK7U.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{d as latestStable,b as listReleases,a as parsePattern,c as releaseOf};
