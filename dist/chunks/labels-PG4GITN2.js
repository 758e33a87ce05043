
import{a,b,c,d}from"./chunk-LA3EHO6S.js";import"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";export{c as annotationsWithRecipe,b as labelsWithRecipe,d as pageOfRemote,a as planLabels};
