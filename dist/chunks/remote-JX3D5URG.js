
import{a,b}from"./chunk-X3HGS5YX.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{b as farSide,a as parseRemote};
