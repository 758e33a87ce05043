
import{a,b,c,d}from"./chunk-PLQV2RH5.js";import"./chunk-5HMAD5QP.js";import"./chunk-EDRTQW33.js";export{c as annotationsWithRecipe,b as labelsWithRecipe,d as pageOfRemote,a as planLabels};
