
import{a,b}from"./chunk-O5QDMUKV.js";import"./chunk-57ZPTOH3.js";import"./chunk-PH4YUS4L.js";import"./chunk-THRAJ2VM.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{a as CONFIG_LIMIT,b as readYaml};
