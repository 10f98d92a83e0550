// Who kept which CPU busy, by the machine's own clock; rates are a figure of their own.
const drawMeasured = () => {
  if (!element("busy-fold").open) return;
  const comparison = data.comparisons[element("comparison").value];
  const shown = comparison ? comparison.cells.filter((cell) => cell.rate) : [];
  element("measured-note").textContent = shown.length === 0 ? "" : comparison.name + ".";
  const bars = shown.flatMap((cell) => [...new Set(cell.busy.map((one) => one.cpu))].map((cpu) => ({cell, cpu})));
  const domains = [...new Set(shown.flatMap((cell) => cell.busy.map((one) => one.domain)))];
  const share = ({cell, cpu}, domain) => (cell.busy.find((one) => one.cpu === cpu && one.domain === domain) || {median: 0}).median;
  element("busy-chart").hidden = bars.length === 0;
  if (bars.length === 0) return;
  const name = ({cell, cpu}) => `${cell.platform}, CPU ${cpu}`;
  draw("busy-chart", 110 + 30 * bars.length, "How busy each CPU was, by domain: " + bars.map((bar) => `${name(bar)} ` +
    domains.filter((domain) => share(bar, domain) > 0).map((domain) => `${domain} ${Math.round(100 * share(bar, domain))} %`).join(", ")).join("; "), {
    grid: {left: 8, right: 16, top: 40, bottom: 30, containLabel: true},
    legend: {data: domains, top: 8, textStyle: {color: color("ink")}, type: "scroll"},
    tooltip: tooltip((p) => `${name(bars[p.dataIndex])}, ${p.seriesName}\n${readable(p.value)} % of the window`),
    xAxis: {type: "value", min: 0, max: 100, interval: isNarrow() ? 50 : 25, ...axis(), ...namedX("busy, % of the window"), axisLabel: {color: color("quiet"), formatter: (v) => v + " %"}},
    yAxis: {type: "category", data: bars.map(name), inverse: true, ...axis(), axisTick: {show: false}, axisLabel: {color: color("ink"), interval: 0}},
    series: domains.map((domain, i) => ({name: domain, type: "bar", stack: "all", barMaxWidth: 20, itemStyle: {color: nthColor(i)},
      data: bars.map((bar) => 100 * share(bar, domain)),
      label: {show: true, color: "#fff", textBorderColor: "rgba(0,0,0,.55)", textBorderWidth: 2, formatter: (p) => p.value >= 12 ? Math.round(p.value) + " %" : ""}}))
  });
};
