
function l(t,r){let o=new Set(t.map(e)),a=new Set(r.map(e));return o.size===a.size&&[...o].every(i=>a.has(i))}function f(t,r){let o=new Set(t.map(e)),a=new Set(r.map(e)),i=[...t.filter(n=>!a.has(e(n))),...r.filter(n=>!o.has(e(n)))];return[...new Set(i.map(n=>n.platform))].sort()}function e(t){return JSON.stringify([t.platform,t.config.digest,...t.layers])}export{l as a,f as b};
