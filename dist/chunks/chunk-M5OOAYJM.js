
import{a as p,b as f}from"./chunk-MROXY34C.js";import{randomUUID as k}from"node:crypto";function u(){let e=new Set,o,a=0,r=s=>{for(let t of h(s))for(let l of $(t))e.add(l);let d=[...e].sort((t,l)=>l.length-t.length);a=d[0]?.length??0,o=d.length===0?void 0:new RegExp(d.map(y).join("|"),"g")},i=s=>o===void 0?s:s.replace(o,"***");return{add:r,redact:i,stream:()=>{let s="";return{push(d){s+=d;let t=i(s),l=Math.min(t.length,Math.max(0,a-1)),n=t.slice(0,t.length-l);return s=t.slice(t.length-l),n},end(){let d=i(s);return s="",d}}}}}function h(e){let o=e.split(/\r?\n/).map(r=>r.trim());return(o.length>1?[e,...o.filter(r=>r.length>=8&&!r.startsWith("-----"))]:[e]).filter(r=>r.length>=3)}function $(e){let o=[e,encodeURIComponent(e),JSON.stringify(e).slice(1,-1)],a=Buffer.from(e);for(let r of[0,1,2]){let i=Buffer.concat([Buffer.alloc(r),a]).toString("base64").replace(/=+$/,""),s=r===0?0:r+1,d=(a.length+r)%3===0?i.length:i.length-1,t=i.slice(s,d);t.length>=6&&o.push(t,t.replaceAll("+","-").replaceAll("/","_"))}return o}function y(e){return e.replace(/[\\^$.*+?()[\]{}|/-]/g,"\\$&")}function L(e){let{style:o,verbose:a,live:r,mask:i=u(),onMask:s}=e,d=!1,t=n=>{d&&e.write("\r\x1B[2K"),d=!1,e.write(n)},l=n=>{for(let g of f(i.redact(n)))t(`${o.line?.(g)??g}
`)};return{live:r,info:l,detail:n=>{a&&l(n)},finding:n=>{let g=JSON.parse(i.redact(JSON.stringify(n)));t(`${o.finding(g,f(S(g)).join(`
  `))}
`)},foreign:n=>{let g=f(i.redact(n)),c=o.around?.(k());c!==void 0&&t(`${c[0]}
`);for(let m of g)t(`${m}
`);c!==void 0&&t(`
${c[1]}
`)},group:n=>t(`${o.group(p(i.redact(n)))}
`),endGroup:()=>{let n=o.endGroup();n!==void 0&&t(`${n}
`)},mask:n=>{i.add(n),s?.(n)},draw:n=>{!r||n===""&&!d||(t(p(i.redact(n)).replaceAll(`
`," ").slice(0,100)),d=n!=="")},redact:n=>i.redact(n),redactStream:()=>i.stream()}}function S({code:e,message:o,remedy:a,at:r}){let s=`${r===void 0?"":`${[r.file,r.line,r.column].filter(d=>d!==void 0).join(":")} `}${e}: ${o}`.trim();return`${s}${s.includes(`
`)?`
`:" "}${a.replaceAll(`
`," ")}`.trim()}var O={group:e=>`── ${e}`,endGroup:()=>{},finding:({level:e},o)=>`${e==="info"?"note":e}: ${o}`};export{L as a,O as b};
