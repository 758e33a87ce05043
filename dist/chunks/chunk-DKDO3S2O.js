
import{a as p,b as u}from"./chunk-MROXY34C.js";import{randomUUID as k}from"node:crypto";function h(){let e=new Set,r,a=0,o=i=>{for(let t of y(i))for(let f of $(t))e.add(f);let d=[...e].sort((t,f)=>f.length-t.length);a=d[0]?.length??0,r=d.length===0?void 0:new RegExp(d.map(x).join("|"),"g")},s=i=>r===void 0?i:i.replace(r,"***");return{add:o,redact:s,stream:()=>{let i="";return{push(d){i+=d;let t=Math.max(0,i.length-Math.max(0,a-1));for(let{index:n,0:l}of r===void 0?[]:i.matchAll(r))n<t&&n+l.length>t&&(t=n);let f=s(i.slice(0,t));return i=i.slice(t),f},end(){let d=s(i);return i="",d}}}}}function y(e){let r=e.split(/\r?\n/).map(o=>o.trim());return(r.length>1?[e,...r.filter(o=>o.length>=8&&!o.startsWith("-----"))]:[e]).filter(o=>o.length>=3)}function $(e){let r=[e,encodeURIComponent(e),JSON.stringify(e).slice(1,-1)],a=Buffer.from(e);for(let o of[0,1,2]){let s=Buffer.concat([Buffer.alloc(o),a]).toString("base64").replace(/=+$/,""),i=o===0?0:o+1,d=(a.length+o)%3===0?s.length:s.length-1,t=s.slice(i,d);t.length>=6&&r.push(t,t.replaceAll("+","-").replaceAll("/","_"))}return r}function x(e){return e.replace(/[\\^$.*+?()[\]{}|/-]/g,"\\$&")}function b(e){let{style:r,verbose:a,live:o,mask:s=h(),onMask:i}=e,d=!1,t=n=>{d&&e.write("\r\x1B[2K"),d=!1,e.write(n)},f=n=>{for(let l of u(s.redact(n)))t(`${r.line?.(l)??l}
`)};return{live:o,info:f,detail:n=>{a&&f(n)},finding:n=>{let{message:l,remedy:c,at:g}=n,m={...n,message:s.redact(l),remedy:s.redact(c),...g===void 0?{}:{at:{...g,file:s.redact(g.file)}}};t(`${r.finding(m,u(S(m)).join(`
  `))}
`)},foreign:n=>{let l=u(s.redact(n)),c=r.around?.(k());c!==void 0&&t(`${c[0]}
`);for(let g of l)t(`${g}
`);c!==void 0&&t(`
${c[1]}
`)},group:n=>t(`${r.group(p(s.redact(n)))}
`),endGroup:()=>{let n=r.endGroup();n!==void 0&&t(`${n}
`)},mask:n=>{s.add(n),i?.(n)},draw:n=>{!o||n===""&&!d||(t(p(s.redact(n)).replaceAll(`
`," ").slice(0,100)),d=n!=="")},redact:n=>s.redact(n),redactStream:()=>s.stream()}}function S({code:e,message:r,remedy:a,at:o}){let i=`${o===void 0?"":`${[o.file,o.line,o.column].filter(d=>d!==void 0).join(":")} `}${e}: ${r}`.trim();return`${i}${i.includes(`
`)?`
`:" "}${a.replaceAll(`
`," ")}`.trim()}var O={group:e=>`── ${e}`,endGroup:()=>{},finding:({level:e},r)=>`${e==="info"?"note":e}: ${r}`};export{b as a,O as b};
