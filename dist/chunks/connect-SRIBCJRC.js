
import{a}from"./chunk-ZOATHQFF.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{a as connect};
