
import{a,b}from"./chunk-AJKKXOKJ.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{b as assertRecipeName,a as isRecipeName};
