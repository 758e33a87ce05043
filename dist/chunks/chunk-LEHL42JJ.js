
import{a as t,b as o}from"./chunk-AQRJFK7U.js";function u({version:r,hold:n},e){return n===null?!1:n.bad.some(i=>s(i,e))?!0:n.until==="manual"&&a(e,r)}function s(r,n){let[e,i]=[t(r),t(n)];return e===void 0||i===void 0?r===n:o(e,i)===0}function a(r,n){let[e,i]=[t(r),t(n)];return e===void 0||i===void 0?r!==n:o(e,i)>0}export{u as a};
