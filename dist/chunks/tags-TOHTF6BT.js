
import{a,b,c,d,e}from"./chunk-A2N7KXQT.js";import"./chunk-XLSQDRG5.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{a as TAG_FORMAT,d as listRemoteTags,c as namesOf,e as parseRemoteTags,b as parseTags};
