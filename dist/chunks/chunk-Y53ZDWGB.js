import{createRequire as __kgRequire}from'node:module';import{fileURLToPath as __kgPath}from'node:url';const require=__kgRequire(import.meta.url),__filename=__kgPath(import.meta.url),__dirname=__kgPath(new URL('.',import.meta.url));
var r=(i,e)=>e();export{r as a};
