
import{a}from"./chunk-CNYPP6RA.js";import"./chunk-NOEQQ4Y2.js";import"./chunk-WV3SQNYR.js";import"./chunk-BIR6Z7PF.js";import"./chunk-R4Y3KXUT.js";import"./chunk-57ZPTOH3.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{a as readPolicy};
