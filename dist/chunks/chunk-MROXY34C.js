
function r(t){return t.replace(/\u001b\[[0-9;:?]*[ -/]*[@-~]/g,"").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,"")}function e(t){let n=t.split(/\r\n|\n|\r/).map(r);for(;n.length>1&&n[n.length-1]==="";)n.pop();return n}function u(t){return t.replace(/[^\x20-\x7e]/g,n=>`\\u${n.charCodeAt(0).toString(16).padStart(4,"0")}`)}export{r as a,e as b,u as c};
