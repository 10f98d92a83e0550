// Cost by layer.

// The interval of a cell's repetitions.
const interval = (cell, unit) => cell.per[unit].interval || null;
const rangeText = (range, show) => range ? `${show(range[0])} to ${show(range[1])}` : "";

const taxRange = (per) => rangeText(per.tax_interval, (value) => value.toFixed(2));

// With "~" where the repetitions show no difference to native, "?" where they are too few to.
const shownTax = (per, times = "") => per.shown_tax.replace(/\d/, times + "$&");

// A bar between two points, with an end at each.
const whisker = (from, to) => {
  const line = (x1, y1, x2, y2) => ({type: "line", shape: {x1, y1, x2, y2}, style: {stroke: color("ink"), lineWidth: 1.5}});
  return {type: "group", children: [line(from[0], from[1], to[0], to[1]), line(from[0], from[1] - 6, from[0], from[1] + 6), line(to[0], to[1] - 6, to[0], to[1] + 6)]};
};

const drawLayers = () => {
  const comparison = data.comparisons[element("comparison").value];
  const unit = element("unit").value;
  if (!comparison) return;
  const shown = comparison.cells.filter((cell) => cell.per[unit]);
  const names = shown.map((cell) => cell.platform);
  const per = unitName(comparison, unit);
  const most = Math.max(...shown.map((cell) => cell.per[unit].total));
  // A number stands in its part of the bar where that is wide enough: some 8 px a character.
  const inner = element("layers").clientWidth - (isNarrow() ? 150 : 260);
  const shortCost = (value) => costText(value, short);
  const inPart = (value) => value / most * inner > 8 * shortCost(value).length ? shortCost(value) : "";
  const scale = costScale(most);
  const series = data.layers.map((layer, i) => ({
    name: layer, type: "bar", stack: "all", barMaxWidth: 44, itemStyle: {color: color(layer)},
    data: shown.map((cell) => cell.per[unit].layers[i]),
    label: {show: true, color: "#fff", textBorderColor: "rgba(0,0,0,.55)", textBorderWidth: 2,
      formatter: (p) => inPart(p.value)}
  }));
  // Its label stands behind the bar, and behind the whisker where there is one.
  series.push({
    name: "total", type: "bar", stack: "all", silent: true, itemStyle: {color: "transparent"},
    data: shown.map((cell) => Math.max(0, (interval(cell, unit) || [0, 0])[1] - cell.per[unit].total)),
    label: {show: true, position: "right", distance: 8, color: color("ink"), fontWeight: 600, formatter: (p) => {
      const per = shown[p.dataIndex].per[unit];
      return shortCost(per.total) + (per.tax === null || isNarrow() ? "" : "  " + shownTax(per, "×"));
    }}
  });
  // From the lower to the upper end of the median's interval.
  const intervalName = shown.map((cell) => cell.interval_name).find((name) => name) || "interval";
  series.push({
    name: intervalName, type: "custom", silent: true, z: 5, encode: {x: [0, 1], y: 2}, itemStyle: {color: color("ink")},
    data: shown.flatMap((cell, i) => {
      const range = interval(cell, unit);
      return range ? [[...range, i]] : [];
    }),
    renderItem: (params, api) => whisker(api.coord([api.value(0), api.value(2)]), api.coord([api.value(1), api.value(2)]))
  });
  draw("layers", 120 + 48 * names.length,
    `${costName} per ${per}: ` + shown.map((c) => `${c.platform} ${costText(c.per[unit].total)}`).join(", "), {
      grid: {left: 8, right: isNarrow() ? 64 : 120, top: 56, bottom: 30, containLabel: true},
      legend: {data: [...data.layers.filter((layer, i) => shown.some((cell) => cell.per[unit].layers[i] > 0)), ...(series[series.length - 1].data.length > 0 ? [intervalName] : [])], top: 8, textStyle: {color: color("ink")}, type: "scroll"},
      tooltip: tooltip((p) => `${names[p.dataIndex]}, ${p.seriesName}\n${costPhrase(p.value)} per ${per}`),
      xAxis: {type: "value", ...axis(), ...namedX(`${scale.name} per ${per}`), axisLabel: {...axis().axisLabel, formatter: (value) => axis().axisLabel.formatter(value / scale.size)}, splitNumber: isNarrow() ? 2 : 5},
      yAxis: {type: "category", data: names, inverse: true, ...axis(), axisLabel: {color: color("ink"), fontSize: 14},
        axisTick: {show: false}},
      series
    });
  const details = (cell) => [
    cell.packets ? `${whole(cell.packets)} packets` : "",
    cell.sensitivity && unit === comparison.unit ? `${readable(cell.sensitivity[0])} to ${readable(cell.sensitivity[1])} on perturbed machines` : "",
    interval(cell, unit) ? `${cell.interval_name} of the median ${rangeText(interval(cell, unit), costText)}` : "too few repetitions for an interval (5 give one)",
    cell.per[unit].tax_interval ? `tax ${taxRange(cell.per[unit])}` : "",
    unit === "packet" && cell.per[unit].tax === null && shown.some((other) => other.platform === "native") ? "its packets are not native's, so that per packet there is no tax" : "",
    cell.against_native === "too few" ? "too few to tell it from native (4 of each)" : cell.against_native === "~" ? "no difference to native shown" : "",
    cell.runs > 1 ? `${cell.identical ? "identical in" : "differing over"} ${cell.runs} runs` : ""
  ].filter((words) => words).join(", ");
  element("picture-note").textContent = [`${comparison.name}: ${costName} per ${per}`,
    ...shown.filter(details).map((cell) => `${cell.platform}: ${details(cell)}`)].join("; ") + ".";
};

// ---- sections ----
const fillUnits = () => {
  const comparison = data.comparisons[element("comparison").value];
  const before = element("unit").value;
  const has = units.filter((unit) => comparison && comparison.cells.some((cell) => cell.per[unit]));
  element("unit").replaceChildren(...has.map((unit) => option(unitName(comparison, unit), unit)));
  if (has.includes(before)) element("unit").value = before;
};
