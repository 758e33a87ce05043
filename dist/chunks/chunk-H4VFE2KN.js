
import{b as r}from"./chunk-EDRTQW33.js";var o=r((n,u)=>{"use strict";u.exports=new Proxy({},{get(t,e){if(!(typeof e=="symbol"||e==="__esModule"||e==="default"))return function(){throw new Error(`unused module: ${e}`)}}})});export{o as a};
