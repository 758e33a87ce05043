
import{a,b}from"./chunk-Y7XNOV7S.js";import"./chunk-VYBCFRQE.js";import"./chunk-RNKTT7VS.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{a as credentialsFrom,b as secretsOf};
