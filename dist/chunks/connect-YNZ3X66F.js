
import{a}from"./chunk-3E22WDLU.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{a as connect};
