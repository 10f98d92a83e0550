// Cost by layer, and the tax.
const drawLayers = () => {
  const comparison = data.comparisons[element("comparison").value];
  const unit = element("unit").value;
  if (!comparison) return;
  const shown = comparison.cells.filter((cell) => cell.per[unit]);
  const names = shown.map((cell) => cell.platform);
  const most = Math.max(...shown.map((cell) => cell.per[unit].total));
  const series = data.layers.map((layer, i) => ({
    name: layer, type: "bar", stack: "all", barMaxWidth: 44, itemStyle: {color: color(layer)},
    data: shown.map((cell) => cell.per[unit].layers[i]),
    label: {show: true, color: "#fff", textBorderColor: "rgba(0,0,0,.55)", textBorderWidth: 2,
      formatter: (p) => p.value > most * (isNarrow() ? .14 : .05) ? readable(p.value) : ""}
  }));
  series.push({
    name: "total", type: "bar", stack: "all", silent: true, itemStyle: {color: "transparent"}, data: shown.map(() => 0),
    label: {show: true, position: "right", color: color("ink"), fontWeight: 600, formatter: (p) => {
      const per = shown[p.dataIndex].per[unit];
      return readable(per.total) + (per.tax === null || isNarrow() ? "" : "  ×" + per.tax.toFixed(2));
    }}
  });
  draw("layers", 96 + 56 * names.length,
    `${costName} per ${unit}: ` + shown.map((c) => `${c.platform} ${readable(c.per[unit].total)}`).join(", "), {
      grid: {left: 8, right: isNarrow() ? 64 : 120, top: 56, bottom: 8, containLabel: true},
      legend: {data: data.layers, top: 8, textStyle: {color: color("ink")}, type: "scroll"},
      tooltip: tooltip((p) => `${names[p.dataIndex]}, ${p.seriesName}\n${readable(p.value)} ${data.cost} per ${unit}`),
      xAxis: {type: "value", ...axis(), splitNumber: isNarrow() ? 2 : 5},
      yAxis: {type: "category", data: names, inverse: true, ...axis(), axisLabel: {color: color("ink"), fontSize: 14},
        axisTick: {show: false}},
      series
    });
  element("picture-note").textContent = `${comparison.name}: ${data.cost} per ${unit}; ` + shown.map((cell) =>
    `${cell.platform}: ${whole(cell.work.packets)} packets` +
    (cell.sensitivity && unit === comparison.unit ? `, ${readable(cell.sensitivity[0])} to ${readable(cell.sensitivity[1])} on perturbed machines` : "") +
    (cell.interval && unit === comparison.unit ? `, 95 % interval of the median ${readable(cell.interval[0])} to ${readable(cell.interval[1])}` : "") +
    (cell.runs > 1 ? `, ${cell.identical ? "identical in" : "differing over"} ${cell.runs} runs` : "")).join("; ") + ".";
};

const drawTax = () => {
  const platforms = [...new Set(cells.map(({cell}) => cell.platform))].filter((p) => p !== "native");
  const rows = data.comparisons.filter((c) => c.cells.some((cell) => cell.platform !== "native" && cell.tax !== null));
  element("tax-section").hidden = rows.length === 0;
  if (rows.length === 0) return;
  draw("tax", 96 + rows.length * (14 + Math.max(isNarrow() ? 28 : 14, 14 * platforms.length)), "Tax of each platform; the tables below hold the same figures", {
    grid: {left: 8, right: 56, top: 48, bottom: 8, containLabel: true},
    legend: {data: platforms, top: 8, textStyle: {color: color("ink")}},
    tooltip: tooltip((p) => `${rows[p.dataIndex].name}\n${p.seriesName}: ${readable(p.value)} times native, per ${rows[p.dataIndex].unit}`),
    xAxis: {type: "value", min: 0, ...axis(), splitNumber: isNarrow() ? 2 : 5},
    yAxis: {type: "category", inverse: true, data: rows.map((c) => c.name), ...axis(), axisTick: {show: false},
      axisLabel: {interval: 0, color: color("ink"), width: isNarrow() ? 140 : 460, overflow: "break", lineHeight: isNarrow() ? 12 : 15,
        fontSize: isNarrow() ? 10 : 12}},
    series: platforms.map((platform, i) => ({
      name: platform, type: "bar", barMaxWidth: 14, itemStyle: {color: platformColor(i)},
      data: rows.map((c) => (c.cells.find((cell) => cell.platform === platform) || {tax: null}).tax),
      label: {show: true, position: "right", color: color("quiet"), fontSize: 11, formatter: (p) => p.value ? p.value.toFixed(2) : ""},
      markLine: i > 0 ? undefined : {silent: true, symbol: "none", label: {show: false}, data: [{xAxis: 1}],
        lineStyle: {color: color("ink"), type: "dashed"}}
    }))
  });
};

// ---- sections ----
const fillUnits = () => {
  const comparison = data.comparisons[element("comparison").value];
  const before = element("unit").value;
  const has = units.filter((unit) => comparison && comparison.cells.some((cell) => cell.per[unit]));
  element("unit").replaceChildren(...has.map((unit) => option(unit, unit)));
  if (has.includes(before)) element("unit").value = before;
};

const fillCosts = () => {
  element("cost-kind").textContent = costName + (data.exact ? ", exact." : ", as measured.");
  for (const unit of units) {
    const rows = cells.filter(({cell}) => cell.per[unit]).map(({comparison, cell}) => [
      comparison.name, cell.platform, ...cell.per[unit].layers, cell.per[unit].total, cell.per[unit].tax, cell.runs
    ]);
    if (rows.length === 0) continue;
    table(element("costs"), `Cost per ${unit}`, [
      {name: "work", text: true, wide: true}, {name: "platform", text: true}, ...data.layers.map((name) => ({name})),
      {name: "total"}, {name: "tax"}, {name: "runs", show: whole}
    ], rows);
  }
};
