
import{a,b,c,d,e}from"./chunk-MCA7EEK6.js";import"./chunk-X3HGS5YX.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{a as TAG_FORMAT,d as listRemoteTags,c as namesOf,e as parseRemoteTags,b as parseTags};
