
function t(r,n){let e=Buffer.from(r,"utf8");return Buffer.concat([Buffer.from(`DSSEv1 ${e.length} `),e,Buffer.from(` ${n.length} `),n])}function o(r){let n=Buffer.from(r,"base64");return n.toString("base64")===r?n:void 0}export{t as a,o as b};
