
import{b as q}from"./chunk-3CX7KTAQ.js";import{a as x}from"./chunk-WGNT62DW.js";import{a as Y}from"./chunk-2ETVKTGZ.js";import"./chunk-LEHL42JJ.js";import{b as E}from"./chunk-IJ52XCV3.js";import{a as R,b as Z,d as Q}from"./chunk-QGOVG6IC.js";import{a as D,b as H,d as X}from"./chunk-AQRJFK7U.js";import{a as A,c as z}from"./chunk-FYLJXDXQ.js";import"./chunk-MROXY34C.js";import{a as J,b as F,d as k,e as f}from"./chunk-3VZZH54G.js";import"./chunk-EDRTQW33.js";import{join as ot,relative as it}from"node:path";function ee({recipe:e,outcome:t,reasons:o,old:r,new:n}){let i=r===n?n??"nothing canonical":`${r??"nothing"} → ${n}`;return`${e}: ${t} ${o[0]??""} (${i})`}function te(e,t){return[Object.entries(t).filter(([,r])=>r>0).map(([r,n])=>`**${n}** ${r}`).join(" · "),"",z(["Recipe","Result","Reason","Known good","Next try"],e.map(r=>[A(r.recipe),r.outcome,A(r.reasons[0]??""),r.new===null?"nothing yet":A(r.new),r.nextEligibleAt??""]))].join(`
`)}function M(e){let t=e.reasons[0]??"sweep-errors";return k(t,"error",`${e.recipe}: ${V(e)}`)}function V({reasons:e,message:t}){let[o]=e;return t??(o===void 0?"":J[o].sentence)}function I(e){if(!URL.canParse(e))return e;let t=new URL(e);return t.username="",t.password="",t.href}var T=["promoted","red","inconclusive","gated","skipped","deferred","error"];function Oe({step:e,outcome:t,reasons:o}){return e==="promote"&&t==="done"?o.includes("promoted")?"promoted":"error":e==="promote"&&t==="refused"?"gated":e==="promote"&&t==="skipped"?o.some(r=>r==="soaking"||r==="concurrent-promotion")?"gated":"skipped":e==="test"&&t==="refused"?"red":e==="test"&&t==="error"&&!o.includes("cancelled")?"inconclusive":t==="refused"?"gated":t==="skipped"?"skipped":"error"}function B(e){let{reasons:t,message:o,base:r=null,eligibleAt:n=null}=e,i=Oe(e);return{outcome:i,reasons:t,gate:e.gate??(i==="gated"?t:[]),base:r,nextEligibleAt:n,...o===void 0?{}:{message:o}}}function re(e){let t=Object.fromEntries(T.map(o=>[o,0]));for(let{outcome:o}of e)t[o]+=1;return t}function ne(e,t){let o=new Map;for(let{recipe:r}of t)o.set(r,(o.get(r)??0)+1);return[...new Set([...e,...o.keys()])].filter(r=>o.get(r)!==1||!e.includes(r))}function oe(e,t){return Array.from({length:Math.ceil(e.length/t)},(o,r)=>e.slice(r*t,(r+1)*t))}import{lstatSync as Ae,mkdirSync as Ee}from"node:fs";import{join as ae}from"node:path";import{createHash as Fe}from"node:crypto";var C=`
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
  element('td', { 'data-label': 'Latest release' }, row.latest || 'unknown'),
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
`;var N=`
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
.outcome { font-weight: 600; }
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
`;function se(e){return`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${["default-src 'none'",`script-src ${ie(C)}`,`style-src ${ie(N)}`,"base-uri 'none'","form-action 'none'"].join("; ")}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Fleet board</title>
<style>${N}</style>
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
<script type="application/json" id="data">${ke(e)}</script>
<script>${C}</script>
</body>
</html>
`}function ie(e){return`'sha256-${Fe("sha256").update(e).digest("base64")}'`}function ke(e){return JSON.stringify(e).replace(/[<>&\u2028\u2029]/g,t=>`\\u${t.charCodeAt(0).toString(16).padStart(4,"0")}`)}var Ie=5;async function de({input:e,fleet:t,ledger:o},r){let{settings:n,workspace:i,now:a}=e;if(n.board===void 0)return;let l=await o.all(),s=new Map(t.value.recipes.map(({recipe:u,repository:m})=>[u,m])),d=r.map(u=>Be(u,s.get(u.recipe)??"",l.get(u.recipe))),c=se({fleet:t.name,at:a().toISOString(),rows:d});return x(Te(i,n.board),c),n.board}function Te(e,t){let o=t.split("/").filter(i=>i!==""&&i!=="."),r=o.pop();if(r===void 0||t.startsWith("/")||[...o,r].includes(".."))throw new f("path-outside","`board` is no path of a file in the workspace.");let n=e;for(let i of o)if(n=ae(n,i),Ee(n,{recursive:!0}),!Ae(n).isDirectory())throw new f("path-outside","The path of the board passes through something that is no real folder.");return ae(n,r)}function Be(e,t,o){return{repository:I(t),recipe:e.recipe,canonical:e.new,latest:e.latest,outcome:e.outcome,reason:e.reasons[0]??"",why:V(e),gate:e.gate,base:e.base,attempts:e.attempts,nextEligibleAt:e.nextEligibleAt,mirror:e.mirror,...Pe(o)}}function Pe(e){try{let t=[...e?.runs()??[]].reverse().slice(0,Ie);return{promotedAt:e?.record()?.at??null,runs:t.map(({version:o,verdict:r,finishedAt:n})=>({version:o,verdict:r,finishedAt:n}))}}catch{return{promotedAt:null,runs:[]}}}import{posix as We}from"node:path";import{posix as De}from"node:path";function j(e,t,o){let r=e.filter(({version:s,commit:d})=>s===t.version&&d===t.commit),n=r.filter(({verdict:s})=>s!=="inconclusive").length;if(r.length===0)return{attempts:n};let i=Math.max(...r.map(({finishedAt:s})=>Date.parse(s))),a=Math.min(30,Math.max(0,n-1)),l=new Date(i+Math.min(432e6,72e5*2**a));return{attempts:n,...l>o?{until:l}:{}}}function le({tags:e,pattern:t,patternIsSure:o=!1,canonical:r}){let n=r===void 0?void 0:D(r.version);if(r===void 0||n===void 0||r.hold!==void 0&&r.hold!==null||!e.some(({name:s,commit:d})=>s===r.tag&&d===r.commit))return!1;let i=R(t),a=K(i,r.tag);if(a!==void 0&&!X(a,n))return!1;let l=a===void 0?$e(r):i;return e.every(({name:s,commit:d})=>{if(s===r.tag)return!0;let c=(l&&K(l,s))??K(i,s);if(c===void 0)return o||!Le(s,n);let u=H(c,n);return u<0||u===0&&d===r.commit})}function K(e,t){return D(e.versionIn(t)??"")}function $e({tag:e,version:t}){let o=e.indexOf(t);if(!(o<0||e.includes("*")))return R(`${e.slice(0,o)}*${e.slice(o+t.length)}`)}function Le(e,{major:t,minor:o,patch:r}){let n=[t,o,r].map(BigInt);return[...e.matchAll(/(?<!\d)(?=(\d+)\.(\d+)\.(\d+))/g)].some(i=>{let a=i.slice(1).map(BigInt),l=n.findIndex((s,d)=>a[d]!==s);return l<0||a[l]>n[l]})}async function P(e,t,o){let r=[...e],n=async()=>{for(let i=r.shift();i!==void 0;i=r.shift())await o(i)};await Promise.all(Array.from({length:Math.min(t,e.length)},n))}function ce(e,t,o){if(t===void 0)return{before:e};let r=i=>i.run===t.run&&Date.parse(i.startedAt)>=t.at,n=e.findLast(i=>r(i)&&i.version===o.version&&i.commit===o.commit);return{before:e.filter(i=>!r(i)),...n===void 0?{}:{own:n}}}async function ue(e,t,{begun:o},{now:r}){if(o?.isDead!==!0||t.lease(r().getTime())!=="live")return;let n=t.intent();n?.run===o.run&&await e.renewIntent(t.recipe,n.nonce,r().toISOString())}function S(e){if(!(e instanceof f)||e.code==="cancelled")throw e;return{outcome:e.outcome==="skipped"?"skipped":"error",reasons:[e.code],message:e.message}}function w({event:e,now:t},{recipe:o},r,n,i){return{recipe:o,new:n.old,gate:[],base:null,attempts:0,nextEligibleAt:null,...n,...i,startedAt:r.toISOString(),finishedAt:t().toISOString(),run:e.run.id}}var Me=16;function y({input:e,results:t},o){t.add(o),e.log.info(ee(o))}async function $(e,t){let{input:o,views:r}=e,n=[],i=t.filter(s=>s.enrolled&&s["mirror-of"]===void 0),a=await o.tools.tagsOfMany(i.map(({repository:s})=>s));await P(t,Me,async s=>{let d=o.now(),c={old:null,latest:null,mirror:null};try{let u=await Ve(e,{view:r.get(s.recipe),tags:a.get(s.repository)},s,c);"release"in u?n.push(u):y(e,w(o,s,d,c,u))}catch(u){y(e,w(o,s,d,c,S(u)))}});let l=new Map(t.map(({recipe:s},d)=>[s,d]));return n.sort((s,d)=>l.get(s.entry.recipe)-l.get(d.entry.recipe))}async function Ve(e,{view:t,tags:o},r,n){let{fleet:i}=e,{tools:a,settings:l}=e.input,s=t?.record();if(n.old=s?.version??null,!r.enrolled)return _(r.reason);let d=s&&{version:s.version,tag:s.tag,commit:s.commit,hold:s.hold};if(r["mirror-of"]!==void 0){let g=await Ke(e.input,r["mirror-of"],r,n);if(g!==void 0)return g}let c=await a.configBeside({entry:r,defaults:i.value.defaults,folder:De.dirname(i.name)});if(c?.value.enrolled===!1)return _();let m=[...o??await a.remoteTags(r.repository)].map(([g,{commit:O}])=>({name:g,commit:O})),p=l.given.has("tag-pattern")?l.tagPattern:void 0,h=p??(c===void 0?_e(i):c.value.releases.tags??"*");if(le({tags:m,pattern:h,patternIsSure:p!==void 0||c!==void 0,canonical:d}))return n.latest=n.old,{outcome:"skipped",reasons:["no-new-version"]};let b=g=>Ne(e,r,g),v=await Ge(await a.ofRecipe(r.recipe),{canonical:d,known:n,owned:b});return"reasons"in v?v:Ce(e,{entry:r,release:v,known:n})}async function Ce({ledger:e,results:t,input:o},{entry:r,release:n,known:i}){let a={version:n.version.raw,commit:n.commit},l=await e.read(r.recipe),{before:s,own:d}=ce(l.runs(),t.begun,a);if(d?.verdict==="red"){let{attempts:m}=j([...s,d],a,o.now());return{outcome:"red",reasons:d.reasons.filter(F),attempts:m,base:d.base}}await ue(e,l,t,o);let{attempts:c,until:u}=j(s,a,o.now());return u!==void 0?{outcome:"deferred",reasons:["backoff"],attempts:c,nextEligibleAt:u.toISOString()}:{entry:r,release:n,known:i,attempts:c}}function Ne({fleet:e,views:t},{recipe:o,image:r},n){if(r!==void 0)return;let i=e.value.recipes.find(a=>a.recipe!==o&&a.image===n);if(i!==void 0)return i.recipe;for(let[a,l]of t){if(a===o)continue;let s=je(l)?.subject;if(s?.kind==="image"&&s.image===n)return a}}function je(e){try{return e.record()}catch{return}}function _(e){return{outcome:"skipped",reasons:["not-enrolled"],...e===void 0?{}:{message:e}}}async function Ke({tools:e,log:t},o,{recipe:r,repository:n},i){try{let{moved:a,removed:l,added:s}=await e.mirror(o,n);i.mirror="fresh",s.length>0&&t.info(`${r}: the mirror has ${s.length} more tags.`);for(let d of[...a,...l].slice(0,10))t.finding(k("mirror-tag-moved","warning",`${r}: upstream moved or removed its tag ${d}.`));return}catch(a){if(!(a instanceof f)||a.code==="cancelled")throw a;return i.mirror="stale",{outcome:"error",reasons:["mirror-stale",a.code],message:a.message}}}function _e({value:e}){let{releases:t}=e.defaults,o=typeof t=="object"&&t!==null&&"tags"in t?t.tags:"*";return typeof o=="string"?o:"*"}async function Ge(e,{canonical:t,known:o,owned:r}){try{let n=(await e.recipeFile()).value;if(!n.enrolled)return _();let i=n.image===void 0?void 0:r(n.image);if(i!==void 0){let m=`Its own configuration names the image of ${i}.`;return{outcome:"error",reasons:["recipe-owner-mismatch"],message:m}}let{tags:a,pattern:l}=await e.upgradeFacts(),s=Z(a,R(l),t===void 0?[]:[t.tag]),d=Q(s)??s.releases[0];if(d===void 0)return{outcome:"skipped",reasons:["never-released"]};o.latest=d.version.raw;let c={version:d.version.raw,tag:d.tag,commit:d.commit},u=Y({list:s,target:c,canonical:t});return u===void 0?d:{outcome:"skipped",reasons:[u.reason]}}finally{await e.close()}}async function pe(e,t,o){let r=[];for(let n of o){let i=e.input.now(),a={old:null,latest:null,mirror:null};try{let l=await Ue(e,t,n,a);l===void 0?r.push(n):y(e,{...w(e.input,n,i,a,l),...Je(l)})}catch(l){y(e,w(e.input,n,i,a,S(l)))}}for(let{entry:n,known:i,attempts:a}of await $(e,r)){let l={outcome:"error",reasons:["leg-missing"],attempts:a};y(e,w(e.input,n,e.input.now(),i,l))}}async function Ue({input:e,views:t},o,{recipe:r},n){let i=p=>e.tools.readFile(We.join(o,p,"result.json")),a=await i(`leg-${r}`)??await i(r);if(a===void 0)return;let l=t.get(r),s=l?.record();n.old=s?.version??null;let d=q(a);if(d===void 0||d.recipe!==r)return me(d);n.latest=d.version??null;let c=l?.runs()??[],u=B(d.end),m={...u,attempts:c.filter(({commit:p,verdict:h})=>p===d.commit&&h!=="inconclusive").length,startedAt:d.startedAt,finishedAt:d.finishedAt,run:d.run};return u.outcome!=="promoted"?m:s===void 0||s.commit!==d.commit||s.version!==d.version?me(d,"It says that it promoted what the ledger does not have as canonical."):(n.old=s.previous?.version??null,{...m,new:s.version})}function me(e,t){return{outcome:"error",reasons:["leg-untrusted"],message:t??(e===void 0?"Its file is no result.":"Its file is the result of another recipe.")}}function Je({startedAt:e,finishedAt:t,run:o}){return{...e===void 0?{}:{startedAt:e},...t===void 0?{}:{finishedAt:t},...o===void 0?{}:{run:o}}}function fe({record:e,runs:t,commit:o,since:r}){let n=t.findLast(s=>s.commit===o&&Date.parse(s.finishedAt)>=r.getTime()),i=n?.base??null;if(e?.commit===o)return{outcome:"promoted",reasons:["promoted"],base:i,gate:[]};if(n===void 0)return;let a=n.reasons.filter(F);return{outcome:n.verdict==="green"?"gated":n.verdict,reasons:a,base:i,gate:[]}}import{statfs as ze}from"node:fs/promises";var qe=15*6e4,He=5e3;function G({settings:e,now:t}){let o=t().getTime()+e.timeBudget;return async()=>t().getTime()>o?"time-budget":void 0}function ge(e){let{settings:t,tools:o,log:r,now:n,workspace:i,signal:a}=e,l=G(e),s=Ze(t.diskBudget),d=Math.min(qe,t.timeBudget);return async()=>{for(;;){let c=await l();if(c!==void 0)return c;let{bavail:u,bsize:m}=await ze(i);if(u*m<s)return"disk-budget";let p=await o.inFlight();if(p.length===0)return;if(d<=0)return"in-flight";r.info(`Waiting: ${p.join(", ")} is being tested on this engine.`);let h=n().getTime();await o.clock.sleep(Math.min(He,d),a),d-=Math.max(1,n().getTime()-h)}}}var Xe={"":0,Ki:1,Mi:2,Gi:3,Ti:4};function Ze(e){let[,t,o=""]=/^(\d+(?:\.\d+)?)\s*(|Ki|Mi|Gi|Ti)B?$/.exec(e.trim())??[];if(t===void 0)throw new f("setting-invalid",`\`disk-budget\` is no size: ${JSON.stringify(e.slice(0,40))}.`,{remedy:"Write a number and a unit, for example `2GiB`."});return Number(t)*1024**(Xe[o]??0)}async function we(e,t){let{tools:o}=e.input;await W(e,t,ge(e.input),async({entry:r,release:n})=>{let i=await o.release(r.recipe,n.commit);if(i.reasons.includes("cancelled"))throw new f("cancelled");let a=B(i);return{...a,...a.outcome==="promoted"?{new:n.version.raw}:{}}})}async function W(e,t,o,r){let{input:n}=e,i=Math.max(1,n.settings.concurrency);await P(t,i,async a=>{let{entry:l,release:s,known:d,attempts:c}=a,u=n.now(),m=p=>y(e,w(n,l,u,d,p));try{let p=await o();if(p!==void 0)return m({outcome:"deferred",reasons:[p],attempts:c});n.log.info(`${l.recipe}: ${s.tag} is new.`),m({attempts:c+1,...await r(a)})}catch(p){m({attempts:c,...S(p)})}})}var Qe=1e4;async function ye(e,t){let{settings:o,event:r,tools:n,log:i,signal:a,now:l}=e.input,{slug:s,defaultBranch:d}=r.repository,c=o.releaseBranch??d;if(s===void 0||c===void 0)throw new f("setting-missing","The fleet's repository and its branch are not known.",{remedy:"Set `release-branch`, and run where the CI names the repository."});let u=await n.droneServer();await W(e,t,G(e.input),async({entry:m,release:p})=>{let h=l(),U={KNOWNGOOD_RECIPE:m.recipe,KNOWNGOOD_CANDIDATE:p.commit},b=await u.start({slug:s,branch:c,parameters:U}),{number:v,url:g}=b;for(i.info(`${m.recipe}: Drone runs it as build ${v}: ${g}`);b!==void 0&&!b.ended;)await n.clock.sleep(Qe,a),b=await u.build(s,v);let O=await e.ledger.read(m.recipe),L=fe({record:O.record(),runs:O.runs(),commit:p.commit,since:h});if(L===void 0){let Re=b?.status??"gone";return{outcome:"error",reasons:["leg-failed"],message:`Build ${v} ended as ${Re}: ${g}`}}return{...L,...L.outcome==="promoted"?{new:p.version.raw}:{}}})}import{appendFileSync as Ye,existsSync as be,readFileSync as ve,rmSync as et}from"node:fs";var tt=24*36e5;async function Se(e,{event:t,now:o,tools:r},n){let i=`${e}.unfinished`,{thisOwner:a,livenessOf:l}=await r.owners(),s=rt(i),d=s===void 0?"dead":l(s.owner);if(d==="alive"&&s?.owner!==a())throw new f("sweep-running");let c=s!==void 0&&s.run===t.run.id&&o().getTime()-s.at<tt,u=c?{run:s.run,at:s.at,isDead:d==="dead"}:void 0,m=c&&be(e)?nt(e,n):[];return x(i,JSON.stringify({run:t.run.id,at:u?.at??o().getTime(),owner:a()})),x(e,m.map(he).join("")),{all:m,begun:u,add(p){m.push(p),Ye(e,he(p))},end:()=>et(i,{force:!0})}}function he(e){return`${JSON.stringify(e)}
`}function rt(e){let t=be(e)?xe(ve(e,"utf8")):void 0,[o,r,n]=[E(t,"run"),E(t,"at"),E(t,"owner")];if(!(typeof o!="string"||typeof r!="number"||typeof n!="string"))return{run:o,at:r,owner:n}}function nt(e,t){let o=new Set(t.map(({recipe:r})=>r));return ve(e,"utf8").split(`
`).flatMap(r=>{let n=xe(r);return n===void 0?[]:[n]}).filter(({recipe:r})=>o.has(r))}function xe(e){try{return JSON.parse(e)}catch{return}}var st=256,$r={name:"sweep",about:"project",async run(e){let{settings:t,tools:o}=e,r=await o.fleet(),{recipes:n}=r.value;if(n.length===0)throw new f("fleet-empty",`${r.name} lists no recipe.`);let i=await at(e),a=ot(e.out,"results.ndjson"),l=await Se(a,e,n),s={input:e,fleet:r,ledger:i,views:await i.all(),results:l},d=n.filter(({recipe:m})=>!l.all.some(p=>p.recipe===m));if(t.collect!==void 0)await pe(s,t.collect,d);else{let m=await $(s,d);if(t.planOnly)return l.end(),dt(s,m);await(t.droneServer===void 0?we:ye)(s,m)}let c=lt(n,l.all),u=await de(s,c);return l.end(),ct(c,{results:it(e.workspace,a),board:u})}};async function at({tools:e,settings:t}){let o=await e.ledger();if(o===void 0)throw new f("setting-missing","A sweep needs the ledger that says what is canonical.",{remedy:"Set `ledger`, or name it in fleet.yml."});return t.ledgerInit&&await o.init(),o}function dt({input:e,results:t},o){let r=o.map(({entry:i,release:a})=>({recipe:i.recipe,repository:I(i.repository),tag:a.tag,commit:a.commit,version:a.version.raw}));for(let{recipe:i,tag:a}of r)e.log.info(`Would run ${i} ${a}.`);let n=t.all.filter(({outcome:i})=>i==="error");return{outcome:n.length===0?"done":"error",reasons:[n.length===0?"swept":"sweep-errors"],outputs:{matrix:JSON.stringify(oe(r,st).map(i=>({include:i})))},findings:n.map(M),facts:[["To run",String(r.length)]]}}function lt(e,t){let o=e.map(({recipe:i})=>i),r=ne(o,t);if(r.length>0)throw new f("sweep-incomplete",`Not exactly one result for ${r.slice(0,5).join(", ")}.`);let n=new Map(o.map((i,a)=>[i,a]));return[...t].sort((i,a)=>n.get(i.recipe)-n.get(a.recipe))}function ct(e,t){let o=re(e),r=o.error===0;return{outcome:r?"done":"error",reasons:[r?"swept":"sweep-errors"],outputs:{...t,...Object.fromEntries(T.map(n=>[n==="error"?"errors":n,String(o[n])]))},findings:e.filter(({outcome:n})=>n==="error").map(M),facts:T.map(n=>[n,String(o[n])]),summary:te(e,o)}}export{$r as step};
