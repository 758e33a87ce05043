
import{a}from"./chunk-7WODKOW2.js";import"./chunk-BZRLQUOO.js";import"./chunk-WV3SQNYR.js";import"./chunk-BIR6Z7PF.js";import"./chunk-ISK3UBJU.js";import"./chunk-57ZPTOH3.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{a as readPolicy};
