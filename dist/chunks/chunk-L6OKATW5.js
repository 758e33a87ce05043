
async function p({settings:e,tools:r}){return e.recipe!==void 0?e.recipe:(await r.recipeFile()).value.recipe??r.recipeName}export{p as a};
