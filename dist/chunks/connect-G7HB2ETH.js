
import{a}from"./chunk-6YVSSYQ5.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{a as connect};
