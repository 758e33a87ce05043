
import{a}from"./chunk-ZJ4O67X4.js";import"./chunk-4IZCOSZY.js";import"./chunk-BIR6Z7PF.js";import"./chunk-APUMU6H6.js";import"./chunk-DMP7H4EO.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{a as readPolicy};
