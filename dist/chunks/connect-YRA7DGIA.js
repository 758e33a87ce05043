
import{a}from"./chunk-K75U3TVU.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{a as connect};
