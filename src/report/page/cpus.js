// CPUs: heat map, and Kiviat where there are enough of them.
const idle = data.layers.indexOf("idle");
const busy = (layers) => layers.reduce((sum, v, i) => sum + (i === idle ? 0 : v), 0);

const drawCpus = () => {
  const comparison = data.comparisons[element("comparison").value];
  element("cpus-section").hidden = !comparison || comparison.cells.every((cell) => cell.cpus.length === 0);
  if (element("cpus-section").hidden || !element("cpus-section").open) return;
  const unit = element("unit").value, per = unitName(comparison, unit);
  const shown = comparison.cells.filter((cell) => cell.per[unit]);
  const cpus = [...new Set(shown.flatMap((cell) => cell.cpus.map((c) => c.cpu)))].sort((a, b) => a - b);
  // Instructions of a CPU per unit of work, idling left out.
  const ofCpu = (cell, cpu) => cell.cpus.find((c) => c.cpu === cpu);
  const cost = (cell, cpu) => {
    const found = ofCpu(cell, cpu);
    return found && cell.total ? busy(found.layers) * cell.per[unit].total / cell.total : 0;
  };
  const values = shown.flatMap((cell, y) => cpus.flatMap((cpu, x) => ofCpu(cell, cpu) ? [[x, y, cost(cell, cpu)]] : []));
  const most = Math.max(...values.map((v) => v[2]), 1);
  element("cpus-note").textContent = `${comparison.name}: ${costName} of each CPU per ${per}, idling left out; the peer's CPU is no part of it.`;
  draw("heat", 96 + 48 * shown.length, `${costName} of each CPU per ${per}: ` + values.map((v) => `${shown[v[1]].platform} CPU ${cpus[v[0]]} ${costText(v[2])}`).join(", "), {
    grid: {left: 8, right: 16, top: 16, bottom: 8, containLabel: true},
    tooltip: tooltip((p) => `${shown[p.value[1]].platform}, CPU ${cpus[p.value[0]]}\n${costPhrase(p.value[2])} per ${per}`),
    visualMap: {show: false, min: 0, max: most, inRange: {color: [color("panel"), color("xen-pvh")]}},
    xAxis: {type: "category", data: cpus.map((c) => "CPU " + c), ...axis(), splitArea: {show: false}},
    yAxis: {type: "category", data: shown.map((c) => c.platform), inverse: true, ...axis(), axisTick: {show: false}, axisLabel: {color: color("ink")}},
    series: [{name: data.cost, type: "heatmap", data: values, itemStyle: {borderColor: color("panel"), borderWidth: 2},
      label: {show: true, color: color("ink"), textBorderColor: color("panel"), textBorderWidth: 3, formatter: (p) => costText(p.value[2], short)}}]
  });
  element("kiviat").hidden = cpus.length < 3;
  if (cpus.length < 3) return;
  draw("kiviat", Math.max(300, 96 + 48 * shown.length), "Kiviat diagram of each CPU's share; the heat map holds the figures", {
    legend: {data: shown.map((c) => c.platform), top: 8, textStyle: {color: color("ink")}},
    tooltip: tooltip((p) => p.name + "\n" + cpus.map((c, i) => `CPU ${c}: ${costText(p.value[i])}`).join("\n")),
    radar: {center: ["50%", "56%"], radius: "62%", indicator: cpus.map((c) => ({name: "CPU " + c, max: most})), axisName: {color: color("ink")},
      splitArea: {show: false}, splitLine: {lineStyle: {color: color("line")}}, axisLine: {lineStyle: {color: color("line")}}},
    series: [{name: "CPUs", type: "radar", data: shown.map((cell) => ({name: cell.platform, value: cpus.map((cpu) => cost(cell, cpu)),
      itemStyle: {color: platformColor(cell.platform)}, areaStyle: {opacity: .15}}))}]
  });
};
