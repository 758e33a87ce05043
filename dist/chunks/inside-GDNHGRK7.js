
import{a,b,c,d}from"./chunk-7GUO4ISN.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{d as components,c as existsInside,a as folderInside,b as readInside};
