
import{f as a,g as b}from"./chunk-PZCRAYPV.js";import"./chunk-QCGEALIA.js";import"./chunk-AIRA6ECK.js";import"./chunk-RILMNDI2.js";import"./chunk-BXURMR3Q.js";import"./chunk-7GUO4ISN.js";import"./chunk-PH4YUS4L.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{b as readCompose,a as usualComposeFiles};
