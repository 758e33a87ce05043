import{createRequire as __kgRequire}from'node:module';import{fileURLToPath as __kgPath}from'node:url';const require=__kgRequire(import.meta.url),__filename=__kgPath(import.meta.url),__dirname=__kgPath(new URL('.',import.meta.url));
import{a}from"./chunk-ZDDQODLL.js";import"./chunk-OLYB5HJU.js";import"./chunk-W5A4KJJV.js";export{a as connect};
