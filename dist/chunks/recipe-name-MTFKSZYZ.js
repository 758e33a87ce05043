
import{a,b}from"./chunk-ZZLNJFLO.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{b as assertRecipeName,a as isRecipeName};
