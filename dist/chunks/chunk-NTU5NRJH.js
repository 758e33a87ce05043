
import{a as c,b as p}from"./chunk-MROXY34C.js";import{randomUUID as k}from"node:crypto";function u(){let e=new Set,o,d=0,r=s=>{for(let t of h(s))for(let g of y(t))e.add(g);let a=[...e].sort((t,g)=>g.length-t.length);d=a[0]?.length??0,o=a.length===0?void 0:new RegExp(a.map($).join("|"),"g")},i=s=>o===void 0?s:s.replace(o,"***");return{add:r,redact:i,stream:()=>{let s="";return{push(a){s+=a;let t=i(s),g=Math.min(t.length,Math.max(0,d-1)),n=t.slice(0,t.length-g);return s=t.slice(t.length-g),n},end(){let a=i(s);return s="",a}}}}}function h(e){let o=e.split(/\r?\n/).map(r=>r.trim());return(o.length>1?[e,...o.filter(r=>r.length>=8&&!r.startsWith("-----"))]:[e]).filter(r=>r.length>=3)}function y(e){let o=[e,encodeURIComponent(e),JSON.stringify(e).slice(1,-1)],d=Buffer.from(e);for(let r of[0,1,2]){let i=Buffer.concat([Buffer.alloc(r),d]).toString("base64").replace(/=+$/,""),s=r===0?0:r+1,a=(d.length+r)%3===0?i.length:i.length-1,t=i.slice(s,a);t.length>=6&&o.push(t,t.replaceAll("+","-").replaceAll("/","_"))}return o}function $(e){return e.replace(/[\\^$.*+?()[\]{}|/-]/g,"\\$&")}function L(e){let{style:o,verbose:d,live:r,mask:i=u(),onMask:s}=e,a=!1,t=n=>{a&&e.write("\r\x1B[2K"),a=!1,e.write(n)},g=n=>{for(let l of p(i.redact(n)))t(`${o.line?.(l)??l}
`)};return{live:r,info:g,detail:n=>{d&&g(n)},finding:n=>{let l=JSON.parse(i.redact(JSON.stringify(n)));t(`${o.finding(l,c(S(l)))}
`)},foreign:n=>{let l=p(i.redact(n)),f=o.around?.(k());f!==void 0&&t(`${f[0]}
`);for(let m of l)t(`${m}
`);f!==void 0&&t(`
${f[1]}
`)},group:n=>t(`${o.group(c(i.redact(n)))}
`),endGroup:()=>{let n=o.endGroup();n!==void 0&&t(`${n}
`)},mask:n=>{i.add(n),s?.(n)},draw:n=>{!r||n===""&&!a||(t(c(i.redact(n)).replaceAll(`
`," ").slice(0,100)),a=n!=="")},redact:n=>i.redact(n),redactStream:()=>i.stream()}}function S({code:e,message:o,remedy:d,at:r}){return`${r===void 0?"":`${[r.file,r.line,r.column].filter(s=>s!==void 0).join(":")} `}${e}: ${o} ${d}`.replaceAll(`
`," ").trim()}var O={group:e=>`\u2500\u2500 ${e}`,endGroup:()=>{},finding:({level:e},o)=>`${e==="info"?"note":e}: ${o}`};export{L as a,O as b};
