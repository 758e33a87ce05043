
import{a,b,c,d}from"./chunk-KILSKCUB.js";import"./chunk-AQRJFK7U.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{d as latestStable,b as listReleases,a as parsePattern,c as releaseOf};
