// Fills the page, and draws anew what a choice or the window changes.
const drawRest = () => { drawClaims(); drawTerms(); drawMeasured(); drawCpus(); drawRates(); drawOffered(); drawFairness(); drawTimeline(); drawFlame(); };
const drawAll = () => { drawFirst(); drawRest(); };
showControls();
fillTerms();
cells.forEach(({comparison, cell}, i) => element("function-cell").append(option(`${cell.platform}, ${comparison.name}`, i)));
const first = cells.findIndex(({comparison, cell}) => data.headline &&
  comparison === data.comparisons[data.headline.comparison] && cell.platform === data.headline.platform);
if (first > 0) element("function-cell").value = first;
fillOffered();
document.querySelectorAll(".wide").forEach(enhance);
drawRest();
element("comparison").addEventListener("change", () => { fillUnits(); drawLayers(); drawMeasured(); drawCpus(); drawRates(); drawFairness(); drawTimeline(); });
element("offered-series").addEventListener("change", drawOffered);
element("timeline-cell").addEventListener("change", drawTimeline);
element("unit").addEventListener("change", () => { drawLayers(); drawCpus(); });
element("terms-model").addEventListener("change", drawTerms);
element("function-cell").addEventListener("change", () => { flameFocus = null; fillFunctions(); drawFlame(); });
element("flame-reset").addEventListener("click", () => { flameFocus = null; drawFlame(); });
window.addEventListener("resize", drawAll);
window.addEventListener("beforeprint", drawAll);
window.addEventListener("afterprint", drawAll);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
document.body.dataset.ready = "true";
