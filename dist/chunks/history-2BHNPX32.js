
import{b as a,c as b}from"./chunk-ZKU7I5FX.js";import"./chunk-FZHTHJSA.js";import"./chunk-E4KKXX7N.js";import"./chunk-HU7BCNFT.js";import"./chunk-GRXWKGTZ.js";import"./chunk-A2N7KXQT.js";import"./chunk-XLSQDRG5.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{b as alternates,a as openHistory};
