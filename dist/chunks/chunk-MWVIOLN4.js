
var r=(i,e)=>e();export{r as a};
