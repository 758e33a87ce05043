
import{f as a,g as b}from"./chunk-LFWEWHRA.js";import"./chunk-QCGEALIA.js";import"./chunk-AIRA6ECK.js";import"./chunk-5SXB2URI.js";import"./chunk-BXURMR3Q.js";import"./chunk-OFGVFZZW.js";import"./chunk-PH4YUS4L.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{b as readCompose,a as usualComposeFiles};
