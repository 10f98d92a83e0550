const charts = new Map();
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
// A platform has one colour on the whole page; what else stands side by side (CPUs, guests, domains) takes them in turn.
const platformColor = (name) => /^[a-z-]+$/.test(name) && color(name) || color("other");
const nthColor = (n) => color(["xen-pv", "container", "kvm", "uml", "native", "xen-pvh", "qemu"][n % 7]);
const isNarrow = () => window.innerWidth < 640;

// The policy allows no style attribute in markup. The chart library sets its own by setAttribute, which counts as
// markup; through the object model the same is allowed.
const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else setAttribute.call(this, name, value);
};

// Below a picture a button that saves it as SVG, as it stands.
const saveSvg = (svg, name) => {
  const copy = svg.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], {type: "image/svg+xml"}));
  link.download = (data.study + "-" + name).replace(/[^A-Za-z0-9]+/g, "-").toLowerCase() + ".svg";
  link.click();
  URL.revokeObjectURL(link.href);
};
const offerSaving = (box, name, before = box) => {
  if (box.dataset.saves) return;
  box.dataset.saves = "true";
  const button = make("button", "Save SVG", "save");
  button.type = "button";
  button.setAttribute("aria-label", "Save as SVG: " + name);
  // Of a figure that has a form for narrow windows the wide one.
  button.addEventListener("click", () => saveSvg(box.querySelector("svg"), name));
  before.after(button);
};

const draw = (id, height, label, option) => {
  const box = element(id);
  box.hidden = false;
  box.style.height = height + "px";
  box.setAttribute("aria-label", label);
  let chart = charts.get(id);
  if (!chart) charts.set(id, chart = echarts.init(box, null, {renderer: "svg"}));
  chart.resize();
  chart.setOption({
    animation: false, backgroundColor: "transparent",
    // The family by which the library measures text; with another one labels are cut.
    textStyle: {color: color("ink"), fontFamily: "sans-serif"}, ...option
  }, {notMerge: true});
  offerSaving(box, id);
  // What is drawn, as the chart holds it: for tests and tools.
  box.dataset.series = JSON.stringify(chart.getOption().series.map((s) => ({name: s.name, data: s.data})));
};
const axis = () => ({
  axisLabel: {color: color("quiet"), formatter: (v) => typeof v !== "number" ? v : Math.abs(v) < 1e6 ? whole(v) : short(v).replace(/\.0+ /, " ")},
  axisLine: {lineStyle: {color: color("line")}}, splitLine: {lineStyle: {color: color("line")}}
});
// An axis says what its values are.
const namedX = (name) => ({name, nameLocation: "middle", nameGap: 26, nameTextStyle: {color: color("quiet")}});
const namedY = (name) => ({name, nameTextStyle: {color: color("quiet"), align: "left"}});
const tooltip = (show) => ({
  trigger: "item", renderMode: "richText", backgroundColor: color("panel"), borderColor: color("line"),
  textStyle: {color: color("ink")}, formatter: show
});
