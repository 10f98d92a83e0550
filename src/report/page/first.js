// What stands on the first screen, as soon as it is there.
const drawFirst = drawLayers;
const showControls = () => document.querySelectorAll(".controls").forEach((controls) => { controls.hidden = false; });
element("without-scripts").hidden = true;
element("picture-section").hidden = data.comparisons.length === 0;
showControls();
data.comparisons.forEach((comparison, i) => element("comparison").append(option(comparison.name, i)));
if (data.headline) element("comparison").value = data.headline.comparison;
fillUnits();
if (data.headline) element("unit").value = data.headline.unit;
drawFirst();
document.body.dataset.firstPictureMs = String(Math.round(performance.now()));
