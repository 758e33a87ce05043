
import{a,b,c,d}from"./chunk-GOXIUQDQ.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{c as annotationsWithRecipe,b as labelsWithRecipe,d as pageOfRemote,a as planLabels};
