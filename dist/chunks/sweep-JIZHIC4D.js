
import{b as ne}from"./chunk-2TUBUSPW.js";import{a as te}from"./chunk-HLMZPQ26.js";import{a as O}from"./chunk-WGNT62DW.js";import{a as de}from"./chunk-2ETVKTGZ.js";import"./chunk-LEHL42JJ.js";import{b as T}from"./chunk-IJ52XCV3.js";import{a as k,b as se,d as ae}from"./chunk-GQYWLKFH.js";import{a as K,b as oe,d as ie}from"./chunk-AQRJFK7U.js";import{a as b,c as re}from"./chunk-ANB55CLL.js";import"./chunk-MROXY34C.js";import{a as _,b as $,d as I,e as f}from"./chunk-KR2HWHUT.js";import"./chunk-EDRTQW33.js";import{join as Et,relative as At}from"node:path";function ue({recipe:e,outcome:t,reasons:r,old:o,new:n}){let i=o===n?n??"nothing canonical":`${o??"nothing"} → ${n}`,s=new Set([t,...r.slice(0,1)]);return`${e}: ${[...s].join(" ")} (${i})`}var me={error:"❌",red:"⛔",inconclusive:"❔",gated:"✋",deferred:"⏳",promoted:"✅",skipped:"⏭️"},M=Object.keys(me),le=300;function pe(e,t){let r=Object.entries(t).filter(([,s])=>s>0).sort(([s],[l])=>M.indexOf(s)-M.indexOf(l)),o=e.filter(ce).map(({recipe:s})=>b(s)),n=e.filter(s=>!ce(s)).sort((s,l)=>M.indexOf(s.outcome)-M.indexOf(l.outcome)),i=n.length-le;return[r.map(([s,l])=>`**${l}** ${s}`).join(" · "),"",...n.length===0?[]:[re(["Result","Recipe","Known good","Why","Next try"],n.slice(0,le).map(Ve)),""],...i>0?[`${i} more are in \`results.ndjson\` and on the board.`,""]:[],...o.length===0?[]:[`Nothing new (${o.length}): ${o.join(", ")}`]].join(`
`)}function ce({outcome:e,reasons:t,mirror:r}){return e==="skipped"&&t[0]==="no-new-version"&&r!=="stale"}function Ve(e){let{outcome:t,recipe:r,old:o,new:n,latest:i,reasons:s,gate:l,nextEligibleAt:d}=e,a=n===null?"nothing yet":b(n),c=t==="promoted"?`${o===null?"nothing":b(o)} → ${a}`:i===null||i===n?a:`${a}, newest ${b(i)}`,u=l.length>1?l:s.slice(0,1),p=t==="promoted"?"":`${u.map(b).join(", ")} ${je(D(e))}`.trim();return[`${me[t]} ${t}`,b(r),c,p,_e(d)]}var Ne=new Set(Object.values(_).map(({sentence:e})=>e));function je(e){return Ne.has(e)?e:b(e)}function _e(e){return e===null?"":`${e.slice(0,16).replace("T"," ")} UTC`}function G(e){let t=e.reasons[0]??"sweep-errors";return I(t,"error",`${e.recipe}: ${D(e)}`)}function D({reasons:e,message:t}){let[r]=e;return t??(r===void 0?"":_[r].sentence)}function P(e){if(!URL.canParse(e))return e;let t=new URL(e);return t.username="",t.password="",t.href}var B=["promoted","red","inconclusive","gated","skipped","deferred","error"];function Ke({step:e,outcome:t,reasons:r}){return e==="promote"&&t==="done"?r.includes("promoted")?"promoted":"error":e==="promote"&&t==="refused"?"gated":e==="promote"&&t==="skipped"?r.some(o=>o==="soaking"||o==="concurrent-promotion")?"gated":"skipped":e==="test"&&t==="refused"?"red":e==="test"&&t==="error"&&!r.includes("cancelled")?"inconclusive":t==="refused"?"gated":t==="skipped"?"skipped":"error"}function L(e){let{reasons:t,message:r,base:o=null,eligibleAt:n=null}=e,i=Ke(e);return{outcome:i,reasons:t,gate:e.gate??(i==="gated"?t:[]),base:o,nextEligibleAt:n,...r===void 0?{}:{message:r}}}function fe(e){let t=Object.fromEntries(B.map(r=>[r,0]));for(let{outcome:r}of e)t[r]+=1;return t}function ge(e,t){let r=new Map;for(let{recipe:o}of t)r.set(o,(r.get(o)??0)+1);return[...new Set([...e,...r.keys()])].filter(o=>r.get(o)!==1||!e.includes(o))}function ye(e,t){return Array.from({length:Math.ceil(e.length/t)},(r,o)=>e.slice(o*t,(o+1)*t))}import{mkdirSync as Ue}from"node:fs";import{dirname as Je}from"node:path";import{createHash as Ge}from"node:crypto";var W=`
'use strict';
const board = JSON.parse(document.getElementById('data').textContent);
const at = Date.parse(board.at);
const order = ['error', 'red', 'inconclusive', 'gated', 'deferred', 'promoted', 'skipped'];

const element = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  for (const child of children) if (child !== null && child !== undefined) made.append(child);
  return made;
};
const age = (time) => {
  if (!time) return '';
  const hours = (at - Date.parse(time)) / 3600000;
  if (hours < 1) return 'less than an hour ago';
  if (hours < 48) return Math.round(hours) + ' h ago';
  return Math.round(hours / 24) + ' days ago';
};
const day = (time) => (time ? time.slice(0, 16).replace('T', ' ') + ' UTC' : '');
const byText = new Intl.Collator('en', { numeric: true });

const columns = [
  { name: 'Recipe', value: (row) => row.recipe },
  { name: 'Result', value: (row) => String(order.indexOf(row.outcome)) },
  { name: 'Known good', value: (row) => row.canonical || '' },
  { name: 'Latest release', value: (row) => row.latest || '' },
  { name: 'Promoted', value: (row) => row.promotedAt || '' },
  { name: 'Why', value: (row) => row.reason },
];

let sort = { column: 1, ascending: true };
let only = '';

const details = (row) => {
  const facts = [
    row.gate.length > 0 ? 'Conditions that did not hold: ' + row.gate.join(', ') : '',
    row.base ? 'Upgraded from ' + row.base : '',
    row.attempts > 0 ? 'Attempts: ' + row.attempts : '',
    row.nextEligibleAt ? 'Tried again after ' + day(row.nextEligibleAt) : '',
    row.mirror ? 'Mirror: ' + row.mirror : '',
    ...row.runs.map((run) => run.version + ' was ' + run.verdict + ', ' + day(run.finishedAt)),
  ].filter(Boolean);
  if (facts.length === 0) return null;
  return element('details', {}, element('summary', {}, 'More'), element('ul', {}, ...facts.map((fact) => element('li', {}, fact))));
};

const line = (row) => element('tr', {},
  element('th', { scope: 'row' }, row.recipe, element('small', {}, row.repository.replace(/^[a-z]+:[/][/]/, ''))),
  element('td', { 'data-label': 'Result' }, element('span', { class: 'outcome ' + (order.includes(row.outcome) ? row.outcome : '') }, row.outcome)),
  element('td', { 'data-label': 'Known good' }, row.canonical || 'nothing yet'),
  element('td', { 'data-label': 'Latest release' }, row.latest || (row.reason === 'never-released' ? 'none' : 'unknown')),
  element('td', { 'data-label': 'Promoted' }, row.promotedAt ? element('time', { datetime: row.promotedAt, title: day(row.promotedAt) }, age(row.promotedAt)) : 'never'),
  element('td', { 'data-label': 'Why' }, element('code', {}, row.reason), element('small', {}, row.why), details(row)),
);

const show = () => {
  const words = document.getElementById('search').value.toLowerCase().split(/\\s+/).filter(Boolean);
  const { value } = columns[sort.column];
  const rows = board.rows
    .filter((row) => only === '' || row.outcome === only)
    .filter((row) => {
      const text = [row.recipe, row.repository, row.outcome, row.reason, row.why, row.canonical, row.latest].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => (sort.ascending ? 1 : -1) * byText.compare(value(a), value(b)) || byText.compare(a.recipe, b.recipe));
  document.getElementById('rows').replaceChildren(...rows.map(line));
  document.getElementById('shown').textContent = rows.length + ' of ' + board.rows.length + ' recipes';
  document.querySelectorAll('#head th').forEach((head, index) => {
    if (index === sort.column) head.setAttribute('aria-sort', sort.ascending ? 'ascending' : 'descending');
    else head.removeAttribute('aria-sort');
  });
  document.querySelectorAll('#filters button').forEach((button) => {
    button.setAttribute('aria-pressed', String(button.dataset.outcome === only));
  });
  document.getElementById('sort').value = sort.column + (sort.ascending ? ' up' : ' down');
};

columns.forEach((column, index) => {
  const button = element('button', { type: 'button' }, column.name);
  button.addEventListener('click', () => {
    sort = { column: index, ascending: sort.column === index ? !sort.ascending : true };
    show();
  });
  document.getElementById('head').append(element('th', { scope: 'col' }, button));
  for (const [way, text] of [['up', ''], ['down', ', reversed']]) {
    document.getElementById('sort').append(element('option', { value: index + ' ' + way }, column.name + text));
  }
});
for (const outcome of ['', ...order]) {
  const count = outcome === '' ? board.rows.length : board.rows.filter((row) => row.outcome === outcome).length;
  if (count === 0) continue;
  const button = element('button', { type: 'button', 'data-outcome': outcome }, (outcome === '' ? 'all' : outcome) + ' ' + count);
  button.addEventListener('click', () => { only = outcome; show(); });
  document.getElementById('filters').append(button);
}
document.getElementById('search').addEventListener('input', show);
document.getElementById('sort').addEventListener('change', (event) => {
  const [column, way] = event.target.value.split(' ');
  sort = { column: Number(column), ascending: way === 'up' };
  show();
});
document.getElementById('about').textContent = board.fleet + ', ' + day(board.at);
show();
`;var U=`
:root {
  --page: #f6f7f9; --card: #ffffff; --text: #17202b; --soft: #56616f; --line: #d8dde4; --accent: #0b57d0;
  --promoted: #0a6b3d; --red: #b3261e; --inconclusive: #7a4d00; --gated: #7a4d00; --skipped: #56616f;
  --deferred: #5b3fb5; --error: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --card: #1b2129; --text: #e8ecf1; --soft: #a3adb9; --line: #333c47; --accent: #8ab4f8;
    --promoted: #6dd58c; --red: #ff8a80; --inconclusive: #f5b94d; --gated: #f5b94d; --skipped: #a3adb9;
    --deferred: #c3aef8; --error: #ff8a80;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text); line-height: 1.45; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 1rem;
}
header, main { max-width: 76rem; margin: 0 auto; padding: 1rem; }
header { padding-bottom: 0; }
h1 { margin: 0; font-size: 1.5rem; }
#about, #shown { margin: .25rem 0 .75rem; color: var(--soft); }
#tools { display: flex; flex-wrap: wrap; gap: .75rem; }
label { display: flex; align-items: center; gap: .5rem; color: var(--soft); }
label.search { flex: 1 1 14rem; }
input, select, button {
  font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .5rem .75rem; min-height: 2.75rem;
}
input { flex: 1; min-width: 0; color: var(--text); }
select { color: var(--text); }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
#filters { display: flex; flex-wrap: wrap; gap: .5rem; margin: .75rem 0; }
#filters button { border-radius: 2rem; }
#filters button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); font-weight: 600; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
th, td { text-align: left; vertical-align: top; padding: .6rem .75rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; padding: .25rem; white-space: nowrap; }
thead button { border: 0; background: none; padding: .25rem .5rem; font-weight: 600; color: var(--soft); }
thead th[aria-sort="ascending"] button::after { content: " \\2191"; }
thead th[aria-sort="descending"] button::after { content: " \\2193"; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; }
small { display: block; color: var(--soft); font-weight: 400; font-size: .875rem; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; }
.outcome { font-weight: 600; overflow-wrap: break-word; }
.outcome::before { content: "\\25CF"; margin-right: .4rem; }
.promoted { color: var(--promoted); } .red { color: var(--red); } .inconclusive { color: var(--inconclusive); }
.gated { color: var(--gated); } .skipped { color: var(--skipped); } .deferred { color: var(--deferred); }
.error { color: var(--error); }
label.sort { display: none; }
details { margin-top: .25rem; }
summary { cursor: pointer; color: var(--accent); min-height: 1.5rem; }
ul { margin: .25rem 0 0; padding-left: 1.1rem; }
@media (max-width: 52rem) {
  label.sort { display: flex; flex: 1 1 10rem; }
  label.sort select { flex: 1; min-width: 0; }
  table, tbody, th, td { display: block; }
  table { background: none; border: 0; }
  thead { display: none; }
  tbody tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); background: var(--card); border: 1px solid var(--line); border-radius: .75rem; margin-bottom: .75rem; padding: .5rem .25rem; }
  tbody th, td { border: 0; padding: .25rem .75rem; }
  tbody th, tbody td:last-child { grid-column: 1 / -1; }
  tbody th { font-size: 1.1rem; }
  td[data-label]::before { content: attr(data-label); display: block; color: var(--soft); font-size: .8125rem; }
}
`;function he(e){return`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${["default-src 'none'",`script-src ${we(W)}`,`style-src ${we(U)}`,"base-uri 'none'","form-action 'none'"].join("; ")}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Fleet board</title>
<style>${U}</style>
</head>
<body>
<header>
<h1>Fleet board</h1>
<p id="about"></p>
</header>
<main>
<div id="tools">
<label class="search">Search <input id="search" type="search" autocomplete="off" spellcheck="false"></label>
<label class="sort">Sort by <select id="sort"></select></label>
</div>
<div id="filters" role="group" aria-label="Show only"></div>
<p id="shown" role="status"></p>
<table>
<thead><tr id="head"></tr></thead>
<tbody id="rows"></tbody>
</table>
<noscript><p>This board is made by its script. The results are also in the JSON below, in the page's source.</p></noscript>
</main>
<script type="application/json" id="data">${We(e)}</script>
<script>${W}</script>
</body>
</html>
`}function we(e){return`'sha256-${Ge("sha256").update(e).digest("base64")}'`}function We(e){return JSON.stringify(e).replace(/[<>&\u2028\u2029]/g,t=>`\\u${t.charCodeAt(0).toString(16).padStart(4,"0")}`)}var ze=5;async function be({input:e,fleet:t,ledger:r},o){let{settings:n,now:i}=e,s=J(e);if(s===void 0)return;let l=await r.all(),d=new Map(t.value.recipes.map(({recipe:u,repository:p})=>[u,p])),a=o.map(u=>qe(u,d.get(u.recipe)??"",l.get(u.recipe))),c=he({fleet:t.name,at:i().toISOString(),rows:a});return Ue(Je(s),{recursive:!0}),O(s,c),n.board}function J({settings:e,workspace:t}){return e.board===void 0?void 0:te(t,e.board,"board")}function qe(e,t,r){return{repository:P(t),recipe:e.recipe,canonical:e.new,latest:e.latest,outcome:e.outcome,reason:e.reasons[0]??"",why:D(e),gate:e.gate,base:e.base,attempts:e.attempts,nextEligibleAt:e.nextEligibleAt,mirror:e.mirror,...He(r)}}function He(e){try{let t=[...e?.runs()??[]].reverse().slice(0,ze);return{promotedAt:e?.record()?.at??null,runs:t.map(({version:r,verdict:o,finishedAt:n})=>({version:r,verdict:o,finishedAt:n}))}}catch{return{promotedAt:null,runs:[]}}}import{posix as ct}from"node:path";import{posix as tt}from"node:path";function z(e,t,{now:r,harness:o}){let n=e.filter(({version:a,commit:c,harness:u})=>a===t.version&&c===t.commit&&!Qe(u,o)),i=n.filter(({verdict:a})=>a!=="inconclusive").length;if(n.length===0)return{attempts:i};let s=Math.max(...n.map(({finishedAt:a})=>Date.parse(a))),l=Math.min(30,Math.max(0,i-1)),d=new Date(s+Math.min(432e6,72e5*2**l));return{attempts:i,...d>r?{until:d}:{}}}function Qe(e,t){let[r,o]=[e,t].map(n=>/^(\d+)\./.exec(n??"")?.[1]);return r!==void 0&&o!==void 0&&r!==o}function ve({tags:e,pattern:t,patternIsSure:r=!1,canonical:o}){let n=o===void 0?void 0:K(o.version);if(o===void 0||n===void 0||o.hold!==void 0&&o.hold!==null||!e.some(({name:d,commit:a})=>d===o.tag&&a===o.commit))return!1;let i=k(t),s=q(i,o.tag);if(s!==void 0&&!ie(s,n))return!1;let l=s===void 0?Xe(o):i;return e.every(({name:d,commit:a})=>{if(d===o.tag)return!0;let c=(l&&q(l,d))??q(i,d);if(c===void 0)return r||!Ze(d,n);let u=oe(c,n);return u<0||u===0&&a===o.commit})}function q(e,t){return K(e.versionIn(t)??"")}function Xe({tag:e,version:t}){let r=e.indexOf(t);if(!(r<0||e.includes("*")))return k(`${e.slice(0,r)}*${e.slice(r+t.length)}`)}function Ze(e,{major:t,minor:r,patch:o}){let n=[t,r,o].map(BigInt);return[...e.matchAll(/(?<!\d)(?=(\d+)\.(\d+)\.(\d+))/g)].some(i=>{let s=i.slice(1).map(BigInt),l=n.findIndex((d,a)=>s[a]!==d);return l<0||s[l]>n[l]})}async function S(e,t,r){let o=[...e],n=async()=>{for(let i=o.shift();i!==void 0;i=o.shift())await r(i)};await Promise.all(Array.from({length:Math.min(t,e.length)},n))}var Ye=8,Se=10;async function xe(e,t){let r=new Map,o=t.filter(n=>n.enrolled&&n["mirror-of"]!==void 0);return await S(o,Ye,async n=>{r.set(n.recipe,await et(e,n,n["mirror-of"]))}),r}async function et({tools:e,log:t},{recipe:r,repository:o},n){try{let{moved:i,removed:s,added:l,branchMoved:d}=await e.mirror(n,o);if(l.length>0||d){let c=l.length===0?"":`, ${l.length} new ${l.length===1?"tag":"tags"}`;t.info(`${r}: the mirror is up to date again${c}.`)}let a=[...i,...s];for(let c of a.slice(0,Se)){let u=i.includes(c)?"moved":"removed";t.finding(I("mirror-tag-moved","warning",`${r}: upstream ${u} its tag ${c}.`))}return a.length>Se&&t.info(`${r}: upstream moved or removed ${a.length} tags in all.`),"fresh"}catch(i){if(!(i instanceof f)||i.code==="cancelled")throw i;return{outcome:"error",reasons:["mirror-stale",i.code],message:i.message}}}function Re(e,t,r){if(t===void 0)return{before:e};let o=i=>i.run===t.run&&Date.parse(i.startedAt)>=t.at,n=e.findLast(i=>o(i)&&i.version===r.version&&i.commit===r.commit);return{before:e.filter(i=>!o(i)),...n===void 0?{}:{own:n}}}async function Oe(e,t,{begun:r},{now:o}){if(r?.isDead!==!0||t.lease(o().getTime())!=="live")return;let n=t.intent();n?.run===r.run&&await e.renewIntent(t.recipe,n.nonce,o().toISOString())}function x(e){if(!(e instanceof f)||e.code==="cancelled")throw e;return{outcome:e.outcome==="skipped"?"skipped":"error",reasons:[e.code],message:e.message}}function w({event:e,now:t},{recipe:r},o,n,i){return{recipe:r,new:n.old,gate:[],base:null,attempts:0,nextEligibleAt:null,...n,...i,startedAt:o.toISOString(),finishedAt:t().toISOString(),run:e.run.id}}var rt=16;async function ke(e){let t=await e.all();return new Map([...t].map(([r,o])=>[r,nt(()=>o.record())]))}function nt(e){try{let t=e();return()=>t}catch(t){return()=>{throw t}}}function v({input:e,results:t},r){t.add(r),e.log.info(ue(r))}async function C(e,t){let{input:r,records:o}=e,n=[],i=await xe(r,t),s=t.filter(({recipe:a,enrolled:c})=>c&&!H(i.get(a))),l=await r.tools.tagsOfMany(s.map(({repository:a})=>a));await S(t,rt,async a=>{let c=r.now(),u=i.get(a.recipe),p={old:null,latest:null,mirror:u===void 0?null:H(u)?"stale":"fresh"};try{let m=o.get(a.recipe)?.();p.old=m?.version??null;let g=H(u)?u:await ot(e,{record:m,tags:l.get(a.repository)},a,p);"release"in g?n.push(g):v(e,w(r,a,c,p,g))}catch(m){v(e,w(r,a,c,p,x(m)))}});let d=new Map(t.map(({recipe:a},c)=>[a,c]));return n.sort((a,c)=>d.get(a.entry.recipe)-d.get(c.entry.recipe))}function H(e){return e!==void 0&&e!=="fresh"}async function ot(e,{record:t,tags:r},o,n){let{fleet:i}=e,{tools:s,settings:l}=e.input;if(!o.enrolled)return Q(o.reason);let d=t&&{version:t.version,tag:t.tag,commit:t.commit,hold:t.hold},a=await s.configBeside({entry:o,defaults:i.value.defaults,folder:tt.dirname(i.name)});if(a?.value.enrolled===!1)return Q();let u=[...r??await s.remoteTags(o.repository)].map(([y,{commit:V}])=>({name:y,commit:V})),p=l.given.has("tag-pattern")?l.tagPattern:void 0,m=p??(a===void 0?dt(i):a.value.releases.tags??"*");if(ve({tags:u,pattern:m,patternIsSure:p!==void 0||a!==void 0,canonical:d}))return n.latest=n.old,{outcome:"skipped",reasons:["no-new-version"]};let R=y=>st(e,o,y),h=await lt(await s.ofRecipe(o.recipe),{canonical:d,known:n,owned:R});return"reasons"in h?h:it(e,{entry:o,release:h,known:n})}async function it({ledger:e,results:t,input:r},{entry:o,release:n,known:i}){let s={version:n.version.raw,commit:n.commit},l=await e.read(o.recipe),{before:d,own:a}=Re(l.runs(),t.begun,s),c={now:r.now(),harness:r.tools.version};if(a?.verdict==="red"){let{attempts:m}=z([...d,a],s,c);return{outcome:"red",reasons:a.reasons.filter($),attempts:m,base:a.base}}await Oe(e,l,t,r);let{attempts:u,until:p}=z(d,s,c);return p!==void 0?{outcome:"deferred",reasons:["backoff"],attempts:u,nextEligibleAt:p.toISOString()}:{entry:o,release:n,known:i,attempts:u}}function st({fleet:e,records:t},{recipe:r,image:o},n){if(o!==void 0)return;let i=e.value.recipes.find(s=>s.recipe!==r&&s.image===n);if(i!==void 0)return i.recipe;for(let[s,l]of t){if(s===r)continue;let d=at(l)?.subject;if(d?.kind==="image"&&d.image===n)return s}}function at(e){try{return e()}catch{return}}function Q(e){return{outcome:"skipped",reasons:["not-enrolled"],...e===void 0?{}:{message:e}}}function dt({value:e}){let{releases:t}=e.defaults,r=typeof t=="object"&&t!==null&&"tags"in t?t.tags:"*";return typeof r=="string"?r:"*"}async function lt(e,{canonical:t,known:r,owned:o}){try{let n=(await e.recipeFile()).value;if(!n.enrolled)return Q();let i=n.image===void 0?void 0:o(n.image);if(i!==void 0){let p=`Its own configuration names the image of ${i}.`;return{outcome:"error",reasons:["recipe-owner-mismatch"],message:p}}let{tags:s,pattern:l}=await e.upgradeFacts(),d=se(s,k(l),t===void 0?[]:[t.tag]),a=ae(d)??d.releases[0];if(a===void 0)return{outcome:"skipped",reasons:["never-released"]};r.latest=a.version.raw;let c={version:a.version.raw,tag:a.tag,commit:a.commit},u=de({list:d,target:c,canonical:t});return u===void 0?a:{outcome:"skipped",reasons:[u.reason]}}finally{await e.close()}}async function Ee(e,t,r){let o=[];for(let n of r){let i=e.input.now(),s={old:null,latest:null,mirror:null};try{let l=await ut(e,t,n,s);l===void 0?o.push(n):v(e,{...w(e.input,n,i,s,l),...mt(l)})}catch(l){v(e,w(e.input,n,i,s,x(l)))}}for(let{entry:n,known:i,attempts:s}of await C(e,o)){let l={outcome:"error",reasons:["leg-missing"],attempts:s};v(e,w(e.input,n,e.input.now(),i,l))}}async function ut({input:e,ledger:t},r,{recipe:o},n){let i=m=>e.tools.readFile(ct.join(r,m,"result.json")),s=await i(`leg-${o}`)??await i(o);if(s===void 0)return;let l=await t.read(o),d=l.record();n.old=d?.version??null;let a=ne(s);if(a===void 0||a.recipe!==o)return Fe(a);n.latest=a.version??null;let c=l.runs(),u=L(a.end),p={...u,attempts:c.filter(({commit:m,verdict:g})=>m===a.commit&&g!=="inconclusive").length,startedAt:a.startedAt,finishedAt:a.finishedAt,run:a.run};return u.outcome!=="promoted"?p:d===void 0||d.commit!==a.commit||d.version!==a.version?Fe(a,"It says that it promoted what the ledger does not have as canonical."):(n.old=d.previous?.version??null,{...p,new:d.version})}function Fe(e,t){return{outcome:"error",reasons:["leg-untrusted"],message:t??(e===void 0?"Its file is no result.":"Its file is the result of another recipe.")}}function mt({startedAt:e,finishedAt:t,run:r}){return{...e===void 0?{}:{startedAt:e},...t===void 0?{}:{finishedAt:t},...r===void 0?{}:{run:r}}}function Ae({record:e,runs:t,commit:r,since:o}){let n=t.findLast(d=>d.commit===r&&Date.parse(d.finishedAt)>=o.getTime()),i=n?.base??null;if(e?.commit===r)return{outcome:"promoted",reasons:["promoted"],base:i,gate:[]};if(n===void 0)return;let s=n.reasons.filter($);return{outcome:n.verdict==="green"?"gated":n.verdict,reasons:s,base:i,gate:[]}}import{statfs as pt}from"node:fs/promises";var ft=15*6e4,gt=5e3;function X({input:{settings:e,now:t},began:r}){let o=r.getTime()+e.timeBudget;return async()=>t().getTime()>=o?"time-budget":void 0}function $e(e){let{input:t}=e,{settings:r,tools:o,log:n,now:i,workspace:s,signal:l}=t,d=X(e),a=wt(r.diskBudget),c=Math.min(ft,r.timeBudget);return async()=>{for(;;){let u=await d();if(u!==void 0)return u;let{bavail:p,bsize:m}=await pt(s);if(p*m<a)return"disk-budget";let g=await o.inFlight();if(g.length===0)return;if(c<=0)return"in-flight";n.info(`Waiting: ${g.join(", ")} is being tested on this engine.`);let R=i().getTime();await o.clock.sleep(Math.min(gt,c),l),c-=Math.max(1,i().getTime()-R)}}}var yt={"":0,Ki:1,Mi:2,Gi:3,Ti:4};function wt(e){let[,t,r=""]=/^(\d+(?:\.\d+)?)\s*(|Ki|Mi|Gi|Ti)B?$/.exec(e.trim())??[];if(t===void 0)throw new f("setting-invalid",`\`disk-budget\` is no size: ${JSON.stringify(e.slice(0,40))}.`,{remedy:"Write a number and a unit, for example `2GiB`."});return Number(t)*1024**(yt[r]??0)}async function Ie(e,t){let{tools:r}=e.input;await Z(e,t,$e(e),async({entry:o,release:n})=>{let i=await r.release(o.recipe,n.commit);if(i.reasons.includes("cancelled"))throw new f("cancelled");let s=L(i);return{...s,...s.outcome==="promoted"?{new:n.version.raw}:{}}})}async function Z(e,t,r,o){let{input:n}=e,i=Math.max(1,n.settings.concurrency);await S(t,i,async s=>{let{entry:l,release:d,known:a,attempts:c}=s,u=n.now(),p=m=>v(e,w(n,l,u,a,m));try{let m=await r();if(m!==void 0)return p({outcome:"deferred",reasons:[m],attempts:c});n.log.info(`${l.recipe}: ${d.tag} is new.`),p({attempts:c+1,...await o(s)})}catch(m){p({attempts:c,...x(m)})}})}var ht=1e3,bt=1e4;async function Te(e,t){let{settings:r,event:o,tools:n,log:i,now:s}=e.input,{slug:l,defaultBranch:d}=o.repository,a=r.releaseBranch??d;if(l===void 0||a===void 0)throw new f("setting-missing","The fleet's repository and its branch are not known.",{remedy:"Set `release-branch`, and run where the CI names the repository."});let c=await n.droneServer(),u=X(e);await Z(e,t,u,async({entry:p,release:m,attempts:g})=>{let R=s(),{recipe:h}=p,y=await vt(c,l,h);if(y!==void 0&&y.parameters.KNOWNGOOD_CANDIDATE!==m.commit){let j=`Build ${y.number} runs another commit of it: ${y.url}`;return{outcome:"deferred",reasons:["in-flight"],message:j,attempts:g}}let V={KNOWNGOOD_RECIPE:h,KNOWNGOOD_CANDIDATE:m.commit},Y=y??await c.start({slug:l,branch:a,parameters:V}),{number:F,url:E}=Y;i.info(`${h}: Drone ${y===void 0?"runs":"already runs"} it as build ${F}: ${E}`);let A=await St(e,{server:c,slug:l,isLate:u},Y),ee=await e.ledger.read(h),N=Ae({record:ee.record(),runs:ee.runs(),commit:m.commit,since:R});if(N!==void 0)return{...N,...N.outcome==="promoted"?{new:m.version.raw}:{}};if(A?.ended===!1){let j=`Build ${F} goes on (${A.status}): ${E}`;return{outcome:"deferred",reasons:["time-budget"],message:j,attempts:g}}let Ce=A===void 0?`Build ${F} is gone from Drone: ${E}`:`Build ${F} ended as ${A.status} without a finished test: ${E}`;return{outcome:"error",reasons:["leg-failed"],message:Ce,attempts:g}})}async function vt(e,t,r){return(await e.builds(t)).find(({ended:n,parameters:i})=>!n&&i.KNOWNGOOD_RECIPE===r)}async function St({input:e},{server:t,slug:r,isLate:o},n){let i=n;for(let s=ht;i!==void 0&&!i.ended;s=Math.min(bt,s*2)){if(await o()!==void 0)return i;await e.tools.clock.sleep(s,e.signal),i=await t.build(r,n.number)}return i}import{appendFileSync as xt,existsSync as De,readFileSync as Pe,rmSync as Rt}from"node:fs";var Ot=24*36e5;async function Be(e,{event:t,now:r,tools:o},n){let i=`${e}.unfinished`,{thisOwner:s,livenessOf:l}=await o.owners(),d=kt(i),a=d===void 0?"dead":l(d.owner);if(a==="alive"&&d?.owner!==s())throw new f("sweep-running");let c=d!==void 0&&d.run===t.run.id&&r().getTime()-d.at<Ot,u=c?{run:d.run,at:d.at,isDead:a==="dead"}:void 0,p=c&&De(e)?Ft(e,n):[];return O(i,JSON.stringify({run:t.run.id,at:u?.at??r().getTime(),owner:s()})),O(e,p.map(Me).join("")),{all:p,begun:u,add(m){p.push(m),xt(e,Me(m))},end:()=>Rt(i,{force:!0})}}function Me(e){return`${JSON.stringify(e)}
`}function kt(e){let t=De(e)?Le(Pe(e,"utf8")):void 0,[r,o,n]=[T(t,"run"),T(t,"at"),T(t,"owner")];if(!(typeof r!="string"||typeof o!="number"||typeof n!="string"))return{run:r,at:o,owner:n}}function Ft(e,t){let r=new Set(t.map(({recipe:o})=>o));return Pe(e,"utf8").split(`
`).flatMap(o=>{let n=Le(o);return n===void 0?[]:[n]}).filter(({recipe:o})=>r.has(o))}function Le(e){try{return JSON.parse(e)}catch{return}}var $t=256,sn={name:"sweep",about:"project",async run(e){let{settings:t,tools:r}=e,o=e.now();J(e);let n=await r.fleet(),{recipes:i}=n.value;if(i.length===0)throw new f("fleet-empty",`${n.name} lists no recipe.`);let s=await It(e),l=Et(e.out,"results.ndjson"),d=await Be(l,e,i),a={input:e,began:o,fleet:n,ledger:s,records:await ke(s),results:d},c=i.filter(({recipe:m})=>!d.all.some(g=>g.recipe===m));if(t.collect!==void 0)await Ee(a,t.collect,c);else{let m=await C(a,c);if(t.planOnly)return d.end(),Tt(a,m);await(t.droneServer===void 0?Ie:Te)(a,m)}let u=Mt(i,d.all),p=await be(a,u);return d.end(),Dt(u,{results:At(e.workspace,l),board:p})}};async function It({tools:e,settings:t}){let r=await e.ledger();if(r===void 0)throw new f("setting-missing","A sweep needs the ledger that says what is canonical.",{remedy:"Set `ledger`, or name it in fleet.yml."});return t.ledgerInit&&await r.init(),r}function Tt({input:e,results:t},r){let o=r.map(({entry:i,release:s})=>({recipe:i.recipe,repository:P(i.repository),tag:s.tag,commit:s.commit,version:s.version.raw}));for(let{recipe:i,tag:s}of o)e.log.info(`Would run ${i} ${s}.`);let n=t.all.filter(({outcome:i})=>i==="error");return{outcome:n.length===0?"done":"error",reasons:[n.length===0?"swept":"sweep-errors"],outputs:{matrix:JSON.stringify(ye(o,$t).map(i=>({include:i})))},findings:n.map(G),facts:[["To run",String(o.length)]]}}function Mt(e,t){let r=e.map(({recipe:i})=>i),o=ge(r,t);if(o.length>0)throw new f("sweep-incomplete",`Not exactly one result for ${o.slice(0,5).join(", ")}.`);let n=new Map(r.map((i,s)=>[i,s]));return[...t].sort((i,s)=>n.get(i.recipe)-n.get(s.recipe))}function Dt(e,t){let r=fe(e),o=r.error===0;return{outcome:o?"done":"error",reasons:[o?"swept":"sweep-errors"],outputs:{...t,...Object.fromEntries(B.map(n=>[n==="error"?"errors":n,String(r[n])]))},findings:e.filter(({outcome:n})=>n==="error").map(G),facts:B.map(n=>[n,String(r[n])]),summary:pe(e,r)}}export{sn as step};
