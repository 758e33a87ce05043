
import{randomUUID as y}from"node:crypto";import{closeSync as i,fsyncSync as f,openSync as m,renameSync as s,rmSync as a,writeSync as l}from"node:fs";function w(e,c){let t=`${e}.${y()}.tmp`,n=m(t,"wx",420);try{try{let r=Buffer.from(c);for(let o=0;o<r.length;)o+=l(n,r,o);f(n)}finally{i(n)}s(t,e)}catch(r){throw a(t,{force:!0}),r}}export{w as a};
