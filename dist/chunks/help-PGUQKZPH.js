
import{a as r,b as o,c as f,d as u}from"./chunk-3WLJFFHV.js";import{a as g}from"./chunk-THRAJ2VM.js";import"./chunk-EDRTQW33.js";function N(){return`0.1.0
`}function S(e){if(e===void 0||e==="help")return c();let n=r.find(a=>a===e);if(n!==void 0)return $(n);if(Object.hasOwn(o,e))return h(e);let t=g(e,[...r,...Object.keys(o)]);return`There is no step "${e}".${t===void 0?"":` Did you mean "${t}"?`}

${c()}`}function c(){return`knowngood: release and drift checks of container projects

Usage:
  knowngood <step|line> [<step> ...] [--setting value ...]
  knowngood <step> --help

Lines (several steps over one dossier, in one process):
${p(Object.entries(o).map(([e,n])=>[e,n.join(" → ")]))}

Steps:
${p(r.map(e=>[e,f[e]]))}

Settings of every step:
${d(e=>e.steps===void 0)}

Exit codes: 0 done or skipped, 1 refused, 2 error.
Secrets are better given in the environment than as flags: KNOWNGOOD_REGISTRY_PASSWORD,
KNOWNGOOD_LEDGER_TOKEN and so on.
`}function $(e){let n=d(t=>t.steps?.includes(e)===!0);return`knowngood ${e}: ${f[e]}

Usage:
  knowngood ${e} [--setting value ...]

${n===""?"":`Settings of this step:
${n}

`}Settings of every step:
${d(t=>t.steps===void 0)}
`}function h(e){return`knowngood ${e}: ${o[e].join(" → ")}

Runs these steps in order over one dossier; the first that refuses or fails ends the line.
Settings are those of its steps: \`knowngood <step> --help\`.
`}function d(e){return p(Object.entries(u).filter(([,n])=>e(n)).map(([n,t])=>[`--${n}`,y(t)]))}function y(e){let n=e.choices===void 0?"":` ${e.type==="list"?"Any":"One"} of ${e.choices.join(", ")}.`,t=e.default??e.fallback;return`${e.about}${n}${t===void 0||t==="false"?"":` Default: ${t}.`}`}function p(e){let n=Math.max(...e.map(([t])=>t.length),0)+4;return e.map(([t,a])=>{let l=[],s="";for(let i of a.split(" "))s!==""&&n+s.length+i.length+1>100?(l.push(s),s=i):s=s===""?i:`${s} ${i}`;return l.push(s),`  ${t.padEnd(n-2)}${l.join(`
${" ".repeat(n)}`)}`}).join(`
`)}export{S as helpText,N as versionText};
