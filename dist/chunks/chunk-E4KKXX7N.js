
function f(e){return e===""||e.length>4096||e.includes("\0")||e.includes("\\")?!1:e.split("/").every(u)}function u(e){if(e===""||e==="."||e===".."||Buffer.byteLength(e)>255)return!1;let r=e.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g,"").toLowerCase().split(":")[0].replace(/[. ]+$/,"");return r!==".git"&&r!=="git~1"}export{f as a};
