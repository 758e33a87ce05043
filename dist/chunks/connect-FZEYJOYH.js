
import{a}from"./chunk-WEIE3B6W.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{a as connect};
