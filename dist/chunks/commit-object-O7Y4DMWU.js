
import{a,b}from"./chunk-N6IN4I7K.js";import"./chunk-SOYAVDVQ.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{b as hashObject,a as readCommit};
