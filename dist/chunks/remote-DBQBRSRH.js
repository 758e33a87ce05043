
import{a,b}from"./chunk-XLSQDRG5.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{b as farSide,a as parseRemote};
