// Fills the page, and draws anew what a choice or the window changes.
const drawRest = () => { drawClaims(); drawTerms(); drawMeasured(); drawCpus(); drawRates(); drawOffered(); drawFairness(); drawTimeline(); drawFlame(); fillNavigation(); };
const folds = document.querySelectorAll("details.fold");
// A link to each section that is there; one that is folded unfolds.
const fillNavigation = () => {
  const there = [...document.querySelectorAll("main > section, main > details.fold")].filter((section) => !section.hidden);
  element("sections").hidden = there.length === 0;
  element("sections").replaceChildren(...there.map((section) => {
    const link = make("a", section.querySelector("h2").textContent);
    link.href = "#" + section.id;
    link.addEventListener("click", () => { section.open = true; });
    return link;
  }), unfoldAll);
};
const unfoldAll = make("button", "Unfold all");
unfoldAll.type = "button";
unfoldAll.addEventListener("click", () => { for (const fold of folds) fold.open = true; });
const drawAll = () => { drawFirst(); drawRest(); };
showControls();
fillTerms();
cells.forEach(({comparison, cell}, i) => element("function-cell").append(option(`${cell.platform}, ${comparison.name}`, i)));
const first = cells.findIndex(({comparison, cell}) => data.headline &&
  comparison === data.comparisons[data.headline.comparison] && cell.platform === data.headline.platform);
if (first > 0) element("function-cell").value = first;
fillOffered();
document.querySelectorAll(".wide").forEach(enhance);
document.querySelectorAll(".wide-figure").forEach((figure) => offerSaving(figure, figure.dataset.name, figure.nextElementSibling));
if (location.hash === "#unfolded") for (const fold of folds) fold.open = true;
else if (location.hash.length > 1 && element(location.hash.slice(1))) element(location.hash.slice(1)).open = true;
drawRest();
for (const fold of folds) fold.addEventListener("toggle", drawRest);
element("comparison").addEventListener("change", () => { fillUnits(); drawLayers(); drawMeasured(); drawCpus(); drawRates(); drawFairness(); drawTimeline(); fillNavigation(); });
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
document.body.dataset.height = String(document.documentElement.scrollHeight);
document.body.dataset.ready = "true";
