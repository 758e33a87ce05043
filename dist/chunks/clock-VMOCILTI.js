
import"./chunk-EDRTQW33.js";var m={now:()=>Date.now(),random:()=>Math.random(),sleep:(r,e)=>new Promise(t=>{if(e?.aborted===!0)return t();let o=()=>{clearTimeout(n),e?.removeEventListener("abort",o),t()},n=setTimeout(o,r);e?.addEventListener("abort",o)})};export{m as systemClock};
