
import{a,b}from"./chunk-HU7BCNFT.js";import"./chunk-GRXWKGTZ.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{b as hashObject,a as readCommit};
