
import{a as i}from"./chunk-MROXY34C.js";function a(r){let n=i(r).replace(/\s+/g," ").trim().replace(/\\(?=\|)/g,"\\ ").replaceAll("|","\\|");if(n==="")return"";let t=Math.max(0,...[...n.matchAll(/`+/g)].map(s=>s[0].length)),e="`".repeat(t+1),o=n.startsWith("`")||n.endsWith("`")?" ":"";return`${e}${o}${n}${o}${e}`}function c(r){let n=r.split(`
`).map(i).join(`
`),t=Math.max(2,...[...n.matchAll(/`+/g)].map(o=>o[0].length)),e="`".repeat(t+1);return`${e}text
${n}
${e}`}function g(r,n){let t=e=>`| ${e.join(" | ")} |`;return[t(r),t(r.map(()=>"---")),...n.map(t)].join(`
`)}export{a,c as b,g as c};
