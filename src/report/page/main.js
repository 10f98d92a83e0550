// Fills the page, and draws anew what a choice or the window changes.
// What stands on the first screen comes first; the rest is drawn when that is on the screen.
const drawFirst = () => { drawLayers(); drawTax(); };
const drawRest = () => { drawClaims(); drawTerms(); drawCpus(); drawRates(); drawOffered(); drawFairness(); drawTimeline(); drawFlame(); };
const drawAll = () => { drawFirst(); drawRest(); };
data.comparisons.forEach((comparison, i) => element("comparison").append(option(comparison.name, i)));
if (data.headline) element("comparison").value = data.headline.comparison;
fillUnits();
if (data.headline) element("unit").value = data.headline.unit;
fillTerms();
drawFirst();
document.body.dataset.firstPictureMs = String(Math.round(performance.now()));
fillClaims();
fillCosts();
fillHardware();
cells.forEach(({comparison, cell}, i) => element("function-cell").append(option(`${cell.platform}, ${comparison.name}`, i)));
const first = cells.findIndex(({comparison, cell}) => data.headline &&
  comparison === data.comparisons[data.headline.comparison] && cell.platform === data.headline.platform);
if (first > 0) element("function-cell").value = first;
fillFunctions();
fillTraffic();
fillRates();
fillOffered();
fillFailed();
fillProvenance();
drawRest();
element("comparison").addEventListener("change", () => { fillUnits(); drawLayers(); drawCpus(); drawRates(); drawFairness(); drawTimeline(); });
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
