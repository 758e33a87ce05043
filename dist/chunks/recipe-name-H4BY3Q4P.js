
import{a,b}from"./chunk-SO5OKANG.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{b as assertRecipeName,a as isRecipeName};
