
function t({runContext:e,fork:o,given:n}){return e==="release"||!o&&!n}export{t as a};
