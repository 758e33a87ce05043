
import{a,b as r,c as p,d as g}from"./chunk-3WLJFFHV.js";import{a as u}from"./chunk-THRAJ2VM.js";import"./chunk-EDRTQW33.js";function c({type:e,choices:n},t=o=>o){return n===void 0?"":` ${e==="list"?"Any":"One"} of ${n.map(t).join(", ")}.`}function b(){return`0.1.0
`}function v(e){if(e===void 0||e==="help")return $();let n=a.find(o=>o===e);if(n!==void 0)return h(n);if(Object.hasOwn(r,e))return y(e);let t=u(e,[...a,...Object.keys(r)]);return`There is no step "${e}".${t===void 0?"":` Did you mean "${t}"?`}

${$()}`}function $(){return`knowngood: release and drift checks of container projects

Usage:
  knowngood <step|line> [<step> ...] [--setting value ...]
  knowngood <step> --help

Lines (several steps over one dossier, in one process):
${f(Object.entries(r).map(([e,n])=>[e,n.join(" → ")]))}

Steps:
${f(a.map(e=>[e,p[e]]))}

Settings of every step:
${d(e=>e.steps===void 0)}

Exit codes: 0 done or skipped, 1 refused, 2 error.
Secrets are better given in the environment than as flags: KNOWNGOOD_REGISTRY_PASSWORD,
KNOWNGOOD_LEDGER_TOKEN and so on.
`}function h(e){let n=d(t=>t.steps?.includes(e)===!0);return`knowngood ${e}: ${p[e]}

Usage:
  knowngood ${e} [--setting value ...]

${n===""?"":`Settings of this step:
${n}

`}Settings of every step:
${d(t=>t.steps===void 0)}
`}function y(e){return`knowngood ${e}: ${r[e].join(" → ")}

Runs these steps in order over one dossier; the first that refuses or fails ends the line.
Settings are those of its steps: \`knowngood <step> --help\`.
`}function d(e){return f(Object.entries(g).filter(([,n])=>e(n)).map(([n,t])=>[`--${n}`,O(t)]))}function O(e){let n=c(e),t=e.default??e.fallback;return`${e.about}${n}${t===void 0||t==="false"?"":` Default: ${t}.`}`}function f(e){let n=Math.max(...e.map(([t])=>t.length),0)+4;return e.map(([t,o])=>{let l=[],s="";for(let i of o.split(" "))s!==""&&n+s.length+i.length+1>100?(l.push(s),s=i):s=s===""?i:`${s} ${i}`;return l.push(s),`  ${t.padEnd(n-2)}${l.join(`
${" ".repeat(n)}`)}`}).join(`
`)}export{v as helpText,b as versionText};
