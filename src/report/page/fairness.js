// Fairness: each guest's rate by its own time, relative to their mean.
const drawFairness = () => {
  const comparison = data.comparisons[element("comparison").value];
  const shown = comparison ? comparison.cells.filter((cell) => cell.fairness !== null && cell.guests.length > 1) : [];
  element("fairness-section").hidden = shown.length === 0;
  if (shown.length === 0 || !element("fairness-section").open) return;
  const rates = (cell) => {
    const all = cell.guests.map((g) => (g.transactions || g.bytes) / g.ns);
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    return all.map((rate) => rate / mean);
  };
  const most = Math.max(...shown.map((cell) => cell.guests.length));
  element("fairness-note").textContent = `${comparison.name}: Jain's fairness index ` + shown.map((cell) => `${cell.platform} ${cell.fairness.toFixed(3)}`).join(", ") +
    ". 1: all alike. A guest's amount by its own time, as a part of the guests' mean.";
  draw("fairness", 300, element("fairness-note").textContent, {
    grid: {left: 8, right: 16, top: 48, bottom: 30, containLabel: true},
    legend: {data: shown.map((cell) => cell.platform), top: 8, textStyle: {color: color("ink")}},
    tooltip: tooltip((p) => `${p.seriesName}, ${shown[p.seriesIndex].guests[p.dataIndex].guest}\n${readable(p.value)} of the mean`),
    xAxis: {type: "category", data: Array.from({length: most}, (_, i) => String(i + 1)), ...axis(), ...namedX("guest")},
    yAxis: {type: "value", min: 0, ...axis(), ...namedY("rate, mean = 1")},
    series: shown.map((cell) => ({name: cell.platform, type: "bar", barMaxWidth: 44, data: rates(cell),
      itemStyle: {color: platformColor(cell.platform)},
      label: {show: true, position: "top", color: color("ink"), formatter: (p) => readable(p.value)}}))
  });
};
