
import{b as a,c as b}from"./chunk-YYUMYDUG.js";import"./chunk-QE6U6BIW.js";import"./chunk-MCA7EEK6.js";import"./chunk-E4KKXX7N.js";import"./chunk-X3HGS5YX.js";import"./chunk-N6IN4I7K.js";import"./chunk-SOYAVDVQ.js";import"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";export{b as alternates,a as openHistory};
