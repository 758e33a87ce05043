
import{b as c}from"./chunk-SOYAVDVQ.js";import{e as s}from"./chunk-KR2HWHUT.js";import{createHash as u}from"node:crypto";async function y(e,t){let{code:r,stdout:o}=await e.git.run({...e.call,args:["cat-file","commit",c(t)],accept:[0,128]});if(r!==0)return;if(g("commit",o,t.length)!==t)throw new s("git-failed",`The commit ${t} is damaged: its content has another id.`);let[m=""]=o.toString("latin1").split(`

`,1),d=m.split(`
`),n=a=>d.filter(i=>i.startsWith(`${a} `)).map(i=>i.slice(a.length+1)),l=Number(/ (-?\d{1,12}) [+-]\d{4}$/.exec(n("committer")[0]??"")?.[1]??0);return{id:t,tree:n("tree")[0]??"",parents:n("parent"),committedAt:p(l)}}function g(e,t,r){return u(r===64?"sha256":"sha1").update(`${e} ${t.length}\0`).update(t).digest("hex")}function p(e){let t=Math.min(Math.max(e,0),253402300799);return new Date(t*1e3).toISOString().replace(".000Z","Z")}export{y as a,g as b};
