
import{a,b,c,d}from"./chunk-2Z6663M5.js";import"./chunk-WN27CMM7.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{d as configBeside,b as legOf,a as ofFleet,c as readFleet};
