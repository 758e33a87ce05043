
function r(e,n){let{origin:i}=e??{};if(!(e===void 0||i===void 0))return e.credential!==void 0?{origin:i,...e.credential}:n.find(t=>t.origin===i)}function d({username:e,password:n}){return`Basic ${Buffer.from(`${e}:${n}`).toString("base64")}`}export{r as a,d as b};
