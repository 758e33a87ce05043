
import{a,b,c,d,e}from"./chunk-K5S6OQNN.js";import"./chunk-ZCWJMVIC.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{a as TAG_FORMAT,d as listRemoteTags,c as namesOf,e as parseRemoteTags,b as parseTags};
