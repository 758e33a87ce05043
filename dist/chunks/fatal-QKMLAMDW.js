
import{b as a,c as b}from"./chunk-EAC3646Q.js";import"./chunk-ANB55CLL.js";import"./chunk-MROXY34C.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{b as asFailure,a as reportFatal};
