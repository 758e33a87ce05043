
import{a,b}from"./chunk-3BUPCLKX.js";import"./chunk-PH4YUS4L.js";import"./chunk-DMP7H4EO.js";import"./chunk-THRAJ2VM.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{a as CONFIG_LIMIT,b as readYaml};
