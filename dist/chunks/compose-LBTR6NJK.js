
import{f as a,g as b}from"./chunk-7EXSKGY3.js";import"./chunk-QCGEALIA.js";import"./chunk-AIRA6ECK.js";import"./chunk-H6K7PCOJ.js";import"./chunk-BXURMR3Q.js";import"./chunk-3IGIYBSP.js";import"./chunk-AJG4V6S6.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{b as readCompose,a as usualComposeFiles};
