
import{e as i}from"./chunk-KR2HWHUT.js";var n=/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;function r(e){return n.test(e)}function a(e){if(!r(e))throw new i("recipe-name-invalid",`${JSON.stringify(e.slice(0,100))} cannot be the name of a recipe.`)}export{r as a,a as b};
