
import{a,b,c,d,e,f,g,h,i}from"./chunk-RILMNDI2.js";import"./chunk-BXURMR3Q.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{e as formatReference,c as isRegistryHost,b as isRepository,a as isTag,i as lowerCaseGhcr,d as parseReference,f as repositoryName,h as withDigest,g as withTag};
