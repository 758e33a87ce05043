
import{a,b,c}from"./chunk-KOK2XVZA.js";import"./chunk-EDRTQW33.js";export{b as livenessOf,c as ownerContainer,a as thisOwner};
