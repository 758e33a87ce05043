
import{a,b}from"./chunk-Y5BBTSUX.js";import"./chunk-YSWYN47E.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{b as hashObject,a as readCommit};
