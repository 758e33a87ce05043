
import{a,b}from"./chunk-XNP65HPD.js";import"./chunk-DKG657LP.js";import"./chunk-O2ESUYFL.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{a as credentialsFrom,b as secretsOf};
