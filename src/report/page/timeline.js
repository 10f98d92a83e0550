// The course of the window: cost by layer of each slice of the work, and its pace.
const drawTimeline = () => {
  const comparison = data.comparisons[element("comparison").value];
  const shown = comparison ? comparison.cells.filter((cell) => cell.timeline) : [];
  element("timeline-section").hidden = shown.length === 0;
  if (shown.length === 0) return;
  const before = element("timeline-cell").value;
  element("timeline-cell").replaceChildren(...shown.map((cell, i) => option(cell.platform, i)));
  element("timeline-cell").value = before !== "" && before < shown.length ? before : shown.length - 1;
  const cell = shown[element("timeline-cell").value];
  const {end_ns: ends, done, layers} = cell.timeline;
  const lengths = ends.map((end, i) => end - (i ? ends[i - 1] : 0));
  const all = done.reduce((a, b) => a + b, 0), long = ends[ends.length - 1];
  const pace = done.map((amount, i) => lengths[i] && all ? amount / lengths[i] / (all / long) : null);
  const times = ends.map((end) => (end * 1e-6).toFixed(2));
  const note = `${cell.platform}, ${comparison.name}: ${ends.length} slices of the work, each with what was executed in it; and the pace of the work in it, as a part of the whole window's. ` +
    "Times are the machine's own: its CPUs take turns on one clock, so paces compare within a window, and not between platforms.";
  element("timeline-note").textContent = note;
  draw("timeline", 380, note, {
    grid: {left: 8, right: 8, top: isNarrow() ? 64 : 48, bottom: 28, containLabel: true},
    legend: {top: 8, textStyle: {color: color("ink")}, type: "scroll"},
    tooltip: tooltip((p) => `until ${times[p.dataIndex]} ms, ${p.seriesName}\n` + (p.seriesName === "pace" ? `${readable(p.value)} of the mean` : `${whole(p.value)} ${data.cost}`)),
    xAxis: {type: "category", data: times, ...axis(), name: "ms", nameLocation: "middle", nameGap: 26, nameTextStyle: {color: color("quiet")}},
    yAxis: [{type: "value", ...axis(), name: data.cost, nameTextStyle: {color: color("quiet"), align: "left"}},
      {type: "value", min: 0, ...axis(), splitLine: {show: false}, name: "pace", nameTextStyle: {color: color("quiet")}}],
    series: [...data.layers.map((layer, i) => ({name: layer, type: "bar", stack: "all", barCategoryGap: "10%", itemStyle: {color: color(layer)}, data: layers[i]})),
      {name: "pace", type: "line", yAxisIndex: 1, step: "end", symbol: "none", lineStyle: {color: color("ink"), width: 2}, itemStyle: {color: color("ink")}, data: pace}]
  });
};
