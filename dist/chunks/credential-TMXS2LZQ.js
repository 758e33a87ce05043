
import{a,b}from"./chunk-EILEDV3C.js";import"./chunk-EDRTQW33.js";export{b as basicAuthorization,a as credentialFor};
