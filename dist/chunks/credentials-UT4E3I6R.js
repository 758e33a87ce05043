
import{a,b}from"./chunk-733RCGBB.js";import"./chunk-YSKWEKDM.js";import"./chunk-CELKVJG2.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{a as credentialsFrom,b as secretsOf};
