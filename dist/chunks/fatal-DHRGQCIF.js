
import{b as a,c as b}from"./chunk-LHVG2U4M.js";import"./chunk-FYLJXDXQ.js";import"./chunk-MROXY34C.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{b as asFailure,a as reportFatal};
