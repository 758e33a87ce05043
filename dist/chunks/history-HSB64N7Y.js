
import{b as a,c as b}from"./chunk-GWJC5O67.js";import"./chunk-GGMATBY2.js";import"./chunk-K5S6OQNN.js";import"./chunk-E4KKXX7N.js";import"./chunk-ZCWJMVIC.js";import"./chunk-Y5BBTSUX.js";import"./chunk-YSWYN47E.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{b as alternates,a as openHistory};
