
import{a,b,c,d}from"./chunk-UBO6OQ2Z.js";import"./chunk-CO6YJHZG.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{d as configBeside,b as legOf,a as ofFleet,c as readFleet};
