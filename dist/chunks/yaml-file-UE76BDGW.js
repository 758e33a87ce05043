
import{a,b}from"./chunk-AGJL2RRW.js";import"./chunk-57ZPTOH3.js";import"./chunk-3IGIYBSP.js";import"./chunk-THRAJ2VM.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{a as CONFIG_LIMIT,b as readYaml};
