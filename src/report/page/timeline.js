// The course of the window: who executed in each slice of it, by the machine's clock, and the pace of the work.
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
  const begins = ends.map((end, i) => i ? ends[i - 1] : 0);
  const lengths = ends.map((end, i) => end - begins[i]);
  const ms = (ns) => ns * 1e-6;
  const all = done.reduce((a, b) => a + b, 0), long = ends[ends.length - 1];
  // As steps from begin to end: where a slice has no length there is no pace.
  const pace = done.flatMap((amount, i) => {
    const value = lengths[i] && all ? amount / lengths[i] / (all / long) : null;
    return [[ms(begins[i]), value], [ms(ends[i]), value]];
  });
  // A slice is as wide as it lasted and as high as its instructions in a ms, so that areas are instructions: slices of equal work
  // that take unequal times would otherwise be compared as if they took the same. Layers stand one on the other.
  const boxes = layers.map((layer, i) => layer.map((count, slice) => {
    const under = layers.slice(0, i).reduce((sum, other) => sum + other[slice], 0);
    const per = (n) => lengths[slice] ? n / ms(lengths[slice]) : 0;
    return [ms(begins[slice]), ms(ends[slice]), per(under), per(under + count), count];
  }));
  const top = Math.max(...boxes[boxes.length - 1].map((box) => box[3]));
  const note = `${cell.platform}, ${comparison.name}: ${ends.length} slices of the work. Each is as wide as it lasted, and its area is what was executed in it; the line is the pace of the work in it, as a part of the whole window's. ` +
    "Times are the machine's own: its CPUs take turns on one clock, so paces compare within a window, and not between platforms.";
  element("timeline-note").textContent = note;
  draw("timeline", 380, note, {
    grid: {left: 8, right: 12, top: isNarrow() ? 72 : 64, bottom: 28, containLabel: true},
    legend: {top: 8, textStyle: {color: color("ink")}, type: "scroll"},
    tooltip: tooltip((p) => p.seriesName === "pace" ? `at ${p.value[0].toFixed(2)} ms: ${readable(p.value[1])} of the mean pace`
      : `${p.value[0].toFixed(2)} to ${p.value[1].toFixed(2)} ms, ${p.seriesName}\n${whole(p.value[4])} ${data.cost}`),
    xAxis: {type: "value", min: 0, max: ms(long), ...axis(), splitLine: {show: false}, splitNumber: isNarrow() ? 4 : 8,
      axisLabel: {color: color("quiet"), showMaxLabel: false, formatter: (v) => readable(v).replace(/\.0+$/, "")},
      name: "ms", nameLocation: "middle", nameGap: 26, nameTextStyle: {color: color("quiet")}},
    yAxis: [{type: "value", min: 0, max: top, ...axis(), axisLabel: {color: color("quiet"), showMaxLabel: false, formatter: whole},
        name: `${data.cost} a ms`, nameTextStyle: {color: color("quiet"), align: "left"}},
      {type: "value", min: 0, ...axis(), splitLine: {show: false}, name: "pace", nameTextStyle: {color: color("quiet"), align: "right"}}],
    series: [...data.layers.map((layer, i) => ({
      name: layer, type: "custom", clip: true, itemStyle: {color: color(layer)}, encode: {x: [0, 1], y: [2, 3]}, data: boxes[i],
      renderItem: (params, api) => {
        const from = api.coord([api.value(0), api.value(3)]), to = api.coord([api.value(1), api.value(2)]);
        const gap = to[0] - from[0] > 6 ? 1 : 0;
        return {type: "rect", shape: {x: from[0], y: from[1], width: Math.max(to[0] - from[0] - gap, .5), height: to[1] - from[1]}, style: {fill: color(layer)}};
      }
    })),
    {name: "pace", type: "line", yAxisIndex: 1, symbol: "none", connectNulls: false, lineStyle: {color: color("ink"), width: 2}, itemStyle: {color: color("ink")}, data: pace}]
  });
};
