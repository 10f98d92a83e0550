const charts = new Map();
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
// Of the nth platform, guest or CPU side by side.
const platformColor = (n) => color(["kernel", "hypervisor", "driver", "program", "uncharged"][n % 5]);
const isNarrow = () => window.innerWidth < 640;

// The policy allows no style attribute in markup. The chart library sets its own by setAttribute, which counts as
// markup; through the object model the same is allowed.
const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else setAttribute.call(this, name, value);
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
  // What is drawn, as the chart holds it: for tests and tools.
  box.dataset.series = JSON.stringify(chart.getOption().series.map((s) => ({name: s.name, data: s.data})));
};
const axis = () => ({
  axisLabel: {color: color("quiet"), formatter: (v) => typeof v !== "number" ? v : Math.abs(v) < 1e6 ? whole(v) : short(v).replace(/\.0+ /, " ")},
  axisLine: {lineStyle: {color: color("line")}}, splitLine: {lineStyle: {color: color("line")}}
});
const tooltip = (show) => ({
  trigger: "item", renderMode: "richText", backgroundColor: color("panel"), borderColor: color("line"),
  textStyle: {color: color("ink")}, formatter: show
});
