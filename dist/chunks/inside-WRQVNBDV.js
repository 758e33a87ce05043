
import{a,b,c,d}from"./chunk-AJG4V6S6.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{d as components,c as existsInside,a as folderInside,b as readInside};
