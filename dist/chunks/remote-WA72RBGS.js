
import{a,b}from"./chunk-ZCWJMVIC.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{b as farSide,a as parseRemote};
