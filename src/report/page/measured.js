// What the windows show by the machine's clock: the rate of each platform, and who kept which CPU busy.
const drawMeasured = () => {
  const comparison = data.comparisons[element("comparison").value];
  const shown = comparison ? comparison.cells.filter((cell) => cell.rate) : [];
  element("rate-chart").hidden = element("busy-chart").hidden = shown.length === 0;
  if (shown.length === 0) return;
  const unit = shown[0].rate.unit, names = shown.map((cell) => cell.platform);
  const rateText = (cell) => readable(cell.rate.median) + (cell.rate.interval ? ` (${rangeText(cell.rate.interval)})` : "");
  element("measured-note").textContent = `${comparison.name}: by the machine's own clock, of every repetition the median` +
    (shown.some((cell) => cell.rate.interval) ? `, with its interval (${shown.map((cell) => cell.interval_name).find((name) => name) || "interval"}).` : ".");
  draw("rate-chart", 96 + 48 * shown.length, `Rate, ${unit}: ` + shown.map((cell) => `${cell.platform} ${rateText(cell)}`).join(", "), {
    grid: {left: 8, right: 72, top: 40, bottom: 8, containLabel: true},
    title: {text: `rate, ${unit}`, left: 8, top: 8, textStyle: {color: color("quiet"), fontSize: 13, fontWeight: 400}},
    tooltip: tooltip((p) => `${names[p.dataIndex]}\n${rateText(shown[p.dataIndex])} ${unit}`),
    xAxis: {type: "value", min: 0, ...axis(), splitNumber: isNarrow() ? 2 : 4},
    yAxis: {type: "category", data: names, inverse: true, ...axis(), axisTick: {show: false}, axisLabel: {color: color("ink")}},
    series: [
      {name: "rate", type: "bar", barMaxWidth: 28, data: shown.map((cell, i) => ({value: cell.rate.median, itemStyle: {color: platformColor(i)}})),
        label: {show: true, position: "right", distance: 12, color: color("ink"), formatter: (p) => readable(p.value)}},
      {name: "interval", type: "custom", silent: true, z: 5, encode: {x: [0, 1], y: 2}, data: shown.flatMap((cell, i) => cell.rate.interval ? [[...cell.rate.interval, i]] : []),
        renderItem: (params, api) => whisker(api.coord([api.value(0), api.value(2)]), api.coord([api.value(1), api.value(2)]))}
    ]
  });
  const bars = shown.flatMap((cell) => [...new Set(cell.busy.map((one) => one.cpu))].map((cpu) => ({cell, cpu})));
  const domains = [...new Set(shown.flatMap((cell) => cell.busy.map((one) => one.domain)))];
  const share = ({cell, cpu}, domain) => (cell.busy.find((one) => one.cpu === cpu && one.domain === domain) || {median: 0}).median;
  element("busy-chart").hidden = bars.length === 0;
  if (bars.length === 0) return;
  const name = ({cell, cpu}) => `${cell.platform}, CPU ${cpu}`;
  draw("busy-chart", 96 + 34 * bars.length, "How busy each CPU was, by domain: " + bars.map((bar) => `${name(bar)} ` +
    domains.filter((domain) => share(bar, domain) > 0).map((domain) => `${domain} ${Math.round(100 * share(bar, domain))} %`).join(", ")).join("; "), {
    grid: {left: 8, right: 16, top: 40, bottom: 8, containLabel: true},
    legend: {data: domains, top: 8, textStyle: {color: color("ink")}, type: "scroll"},
    tooltip: tooltip((p) => `${name(bars[p.dataIndex])}, ${p.seriesName}\n${readable(p.value)} % of the window`),
    xAxis: {type: "value", min: 0, max: 100, interval: isNarrow() ? 50 : 25, ...axis(), axisLabel: {color: color("quiet"), formatter: (v) => v + " %"}},
    yAxis: {type: "category", data: bars.map(name), inverse: true, ...axis(), axisTick: {show: false}, axisLabel: {color: color("ink"), interval: 0}},
    series: domains.map((domain, i) => ({name: domain, type: "bar", stack: "all", barMaxWidth: 20, itemStyle: {color: platformColor(i)},
      data: bars.map((bar) => 100 * share(bar, domain)),
      label: {show: true, color: "#fff", textBorderColor: "rgba(0,0,0,.55)", textBorderWidth: 2, formatter: (p) => p.value >= 12 ? Math.round(p.value) + " %" : ""}}))
  });
};
