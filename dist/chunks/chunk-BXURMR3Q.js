
import{createHash as e}from"node:crypto";var s=/^sha256:[0-9a-f]{64}$/;function r(t){return s.test(t)}function n(t){return`sha256:${e("sha256").update(t).digest("hex")}`}export{r as a,n as b};
