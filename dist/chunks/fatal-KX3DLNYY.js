
import{b as a,c as b}from"./chunk-G6NVMTCB.js";import"./chunk-FYLJXDXQ.js";import"./chunk-MROXY34C.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{b as asFailure,a as reportFatal};
