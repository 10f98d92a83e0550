// The course of the window: who executed in each slice of it, by the machine's clock, and the pace of the work; of a real host
// how busy its CPUs were, and the rate on the systems' devices.
const timelineColor = (name) => color({"kernel+program": "undivided", elsewhere: "idle"}[name] || name);

// What is drawn, and in which units. A slice is as wide as it lasted and as high as its cost per time, so that areas are costs:
// slices of equal work that take unequal times would otherwise be compared as if they took the same.
const courseOfLab = ({end_ns: ends, done}) => {
  const all = done.reduce((a, b) => a + b, 0), long = ends[ends.length - 1];
  return {
    at: (ns) => ns * 1e-6, time: "ms", height: (n, ns) => n / (ns * 1e-6), unit: `${data.cost} a ms`, heightText: whole,
    costText: (n) => `${whole(n)} ${data.cost}`,
    line: "pace", lineUnit: "pace", lineOf: (amount, ns) => all ? amount / ns / (all / long) : null, lineText: (value) => `${readable(value)} of the mean pace`,
    note: `${ends.length} slices of the work. Each is as wide as it lasted, and its area is what was executed in it; the line is the pace of the work in it, as a part of the whole window's. ` +
      "Times are the machine's own: its CPUs take turns on one clock, so paces compare within a window, and not between platforms."
  };
};
const courseOfHost = ({end_ns: ends, done, exchanges, names, dropped}) => {
  const carried = done.some((amount) => amount > 0), step = ends[ends.length - 1] / ends.length * 1e-6;
  return {
    at: (ns) => ns * 1e-9, time: "s", height: (n, ns) => n / ns, unit: "CPUs busy", heightText: readable,
    costText: (n) => `${readable(n * 1e-6)} ms of CPU time`,
    line: carried ? (exchanges ? "packets" : "rate") : null, lineUnit: exchanges ? "packets/s" : "Mb/s",
    lineOf: (amount, ns) => exchanges ? amount / (ns * 1e-9) : amount * 8 / (ns * 1e-3), lineText: (value) => `${readable(value)} ${exchanges ? "packets/s" : "Mb/s"}`,
    note: `${ends.length} slices, a reading each ${readable(step)} ms or so. A slice's area is the CPU time spent in it, without idleness; elsewhere is what other programs, and the machine below, took of the trial's CPUs. A quarter of a second of quiet before the work and after it belong to the course: its first slice and its last have less. ` +
      (carried ? `The line is what the systems' network devices carried in it, both directions, with headers${dropped > 0 ? `; they dropped ${whole(dropped)} packets in the window` : ""}. ` : "") +
      (names.includes("kernel+program") ? "kernel+program: nothing tells the two apart within this window. " : "") +
      "Where ticks of 10 ms tell layers apart, a slice is right to a tick or two; the sum of the layers is exact."
  };
};

const drawTimeline = () => {
  const comparison = data.comparisons[element("comparison").value];
  const shown = comparison ? comparison.cells.filter((cell) => cell.timeline) : [];
  element("timeline-section").hidden = shown.length === 0;
  if (shown.length === 0 || !element("timeline-section").open) return;
  const before = element("timeline-cell").value;
  element("timeline-cell").replaceChildren(...shown.map((cell, i) => option(cell.platform, i)));
  element("timeline-cell").value = before !== "" && before < shown.length ? before : shown.length - 1;
  const cell = shown[element("timeline-cell").value];
  const {end_ns: ends, done, names, layers, in_time: inTime} = cell.timeline;
  const course = inTime ? courseOfHost(cell.timeline) : courseOfLab(cell.timeline);
  const begins = ends.map((end, i) => i ? ends[i - 1] : 0);
  const lengths = ends.map((end, i) => end - begins[i]);
  // As steps from begin to end: where a slice has no length there is no pace.
  const line = done.flatMap((amount, i) => {
    const value = lengths[i] ? course.lineOf(amount, lengths[i]) : null;
    return [[course.at(begins[i]), value], [course.at(ends[i]), value]];
  });
  // Layers stand one on the other.
  const boxes = layers.map((layer, i) => layer.map((count, slice) => {
    const under = layers.slice(0, i).reduce((sum, other) => sum + other[slice], 0);
    const per = (n) => lengths[slice] ? course.height(n, lengths[slice]) : 0;
    return [course.at(begins[slice]), course.at(ends[slice]), per(under), per(under + count), count];
  }));
  const top = Math.max(...boxes[boxes.length - 1].map((box) => box[3]));
  const note = `${cell.platform}, ${comparison.name}: ${course.note}`;
  element("timeline-note").textContent = note;
  draw("timeline", 380, note, {
    grid: {left: 8, right: 12, top: isNarrow() ? 72 : 64, bottom: 28, containLabel: true},
    legend: {top: 8, textStyle: {color: color("ink")}, type: "scroll"},
    tooltip: tooltip((p) => p.seriesName === course.line ? `at ${p.value[0].toFixed(2)} ${course.time}: ${course.lineText(p.value[1])}`
      : `${p.value[0].toFixed(2)} to ${p.value[1].toFixed(2)} ${course.time}, ${p.seriesName}\n${course.costText(p.value[4])}`),
    xAxis: {type: "value", min: 0, max: course.at(ends[ends.length - 1]), ...axis(), splitLine: {show: false}, splitNumber: isNarrow() ? 4 : 8,
      axisLabel: {color: color("quiet"), showMaxLabel: false, formatter: (v) => readable(v).replace(/\.0+$/, "")},
      name: course.time, nameLocation: "middle", nameGap: 26, nameTextStyle: {color: color("quiet")}},
    yAxis: [{type: "value", min: 0, max: top, ...axis(), axisLabel: {color: color("quiet"), showMaxLabel: false, formatter: course.heightText},
        name: course.unit, nameTextStyle: {color: color("quiet"), align: "left"}},
      {type: "value", min: 0, ...axis(), splitLine: {show: false}, name: course.line ? course.lineUnit : "", nameTextStyle: {color: color("quiet"), align: "right"}}],
    series: [...names.map((layer, i) => ({
      name: layer, type: "custom", clip: true, itemStyle: {color: timelineColor(layer)}, encode: {x: [0, 1], y: [2, 3]}, data: boxes[i],
      renderItem: (params, api) => {
        const from = api.coord([api.value(0), api.value(3)]), to = api.coord([api.value(1), api.value(2)]);
        const gap = to[0] - from[0] > 6 ? 1 : 0;
        return {type: "rect", shape: {x: from[0], y: from[1], width: Math.max(to[0] - from[0] - gap, .5), height: to[1] - from[1]}, style: {fill: timelineColor(layer)}};
      }
    })),
    ...(course.line ? [{name: course.line, type: "line", yAxisIndex: 1, symbol: "none", connectNulls: false, lineStyle: {color: color("ink"), width: 2}, itemStyle: {color: color("ink")}, data: line}] : [])]
  });
};
