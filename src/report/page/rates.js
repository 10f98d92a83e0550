// Rates that the costs allow: how busy everyone is when the busiest is full.
const drawRates = () => {
  if (!element("rates-section").open) return;
  const comparison = data.comparisons[element("comparison").value];
  const shown = comparison ? comparison.cells.filter((cell) => cell.capacity) : [];
  element("rates").hidden = element("rates-note").hidden = shown.length === 0;
  if (shown.length === 0) return;
  const bars = shown.flatMap((cell) => cell.capacity.stations.map((station) => ({cell, station})));
  const name = ({cell, station}) => `${cell.platform}: ${station.name}`;
  element("rates-note").textContent = `${comparison.name}: ` + shown.map((cell) =>
    `${cell.platform} ` + (cell.capacity.measured === undefined ? "" : `ran at ${readable(cell.capacity.measured)}, `) +
    `bound ${readable(cell.capacity.at_most)} ${cell.capacity.unit}`).join("; ") + ".";
  draw("rates", 66 + 34 * bars.length, "How busy each CPU and the wire would be at that rate: " + bars.map((bar) => `${name(bar)} ${Math.round(100 * bar.station.utilisation)} %`).join(", "), {
    grid: {left: 8, right: 56, top: 8, bottom: 30, containLabel: true},
    tooltip: tooltip((p) => `${name(bars[p.dataIndex])}\n${readable(p.value)} % busy at ${readable(bars[p.dataIndex].cell.capacity.at_most)} ${bars[p.dataIndex].cell.capacity.unit}`),
    xAxis: {type: "value", min: 0, max: 100, ...axis(), ...namedX("busy, %"), axisLabel: {color: color("quiet"), formatter: (v) => v + " %"}, splitNumber: isNarrow() ? 2 : 5},
    yAxis: {type: "category", data: bars.map(name), inverse: true, ...axis(), axisTick: {show: false},
      axisLabel: {interval: 0, color: color("ink"), width: isNarrow() ? 130 : 320, overflow: "break"}},
    series: [{name: "utilisation", type: "bar", barMaxWidth: 18,
      data: bars.map(({station}) => ({value: 100 * station.utilisation, itemStyle: {color: color(station.utilisation > .995 ? "kvm" : "xen-pv")}})),
      label: {show: true, position: "right", color: color("ink"), formatter: (p) => Math.round(p.value) + " %"}}]
  });
};
