import{createRequire as __kgRequire}from'node:module';import{fileURLToPath as __kgPath}from'node:url';const require=__kgRequire(import.meta.url),__filename=__kgPath(import.meta.url),__dirname=__kgPath(new URL('.',import.meta.url));
import{a,b}from"./chunk-DDKSMFJM.js";import"./chunk-OLYB5HJU.js";import"./chunk-W5A4KJJV.js";export{b as farSide,a as parseRemote};
