
import{a,b,c,d}from"./chunk-OFGVFZZW.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{d as components,c as existsInside,a as folderInside,b as readInside};
