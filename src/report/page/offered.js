// Work that comes at a set rate: how much of it the costs allow, and how busy that makes the busiest.
const offeredLines = (series) => {
  const platforms = [...new Set(series.points.map((point) => point.platform))];
  return platforms.map((platform) => ({platform, points: series.points.filter((point) => point.platform === platform).sort((a, b) => a.offered - b.offered)}));
};

const drawOffered = () => {
  if (data.offered.length === 0 || !element("offered-section").open) return;
  const series = data.offered[element("offered-series").value];
  const lines = offeredLines(series);
  element("offered-note").textContent = `${series.name}: ` + lines.map(({platform, points}) => {
    const beyond = points.filter((point) => point.offered > point.most);
    const last = points[points.length - 1];
    return beyond.length > 0 ? `${platform} has its knee at ${readable(beyond[0].most)} ${beyond[0].unit}, where ${beyond[0].busiest} is busy all the time`
      : `${platform} does all that is offered, and could do ${readable(last.most)} ${last.unit}`;
  }).join("; ") + ". By the utilisation law, which knows nothing of work that is dropped after it has cost something: beyond the knee a system may fall below its line.";
  const unit = series.points[0].unit;
  // A point at the knee itself, so that the line bends where it does.
  const curve = (points, value) => {
    const bend = points.findIndex((point) => point.offered > point.most);
    const knee = bend < 0 ? [] : [[points[bend].most, value({...points[bend], offered: points[bend].most, possible: points[bend].most, busy: 1})]];
    const at = (point) => [point.offered, value(point)];
    const before = bend < 0 ? points : points.slice(0, bend), after = bend < 0 ? [] : points.slice(bend);
    return [...before.map(at), ...knee, ...after.map(at)];
  };
  const chart = (id, label, name, value, formatter, more) => draw(id, 300, label, {
    grid: {left: 8, right: 24, top: 48, bottom: 32, containLabel: true},
    legend: {data: lines.map(({platform}) => platform), top: 8, textStyle: {color: color("ink")}},
    tooltip: tooltip((p) => `${p.seriesName}\n${readable(p.value[0])} ${unit} offered: ${formatter(p.value[1])}`),
    xAxis: {type: "value", name: `offered, ${unit}`, nameLocation: "middle", nameGap: 26, nameTextStyle: {color: color("quiet")}, ...axis(), splitNumber: isNarrow() ? 3 : 6},
    yAxis: {type: "value", min: 0, name, nameTextStyle: {color: color("quiet"), align: "left"}, ...axis(), ...more},
    series: lines.map(({platform, points}) => ({name: platform, type: "line", symbolSize: 8, data: curve(points, value),
      lineStyle: {color: platformColor(platform), width: 2}, itemStyle: {color: platformColor(platform)}}))
  });
  chart("offered", element("offered-note").textContent, `possible, ${unit}`, (point) => point.possible, readable, {});
  chart("offered-busy", "How busy the busiest CPU is: " + lines.map(({platform, points}) => `${platform} ` + points.map((point) => `${readable(point.offered)}: ${Math.round(100 * point.busy)} %`).join(", ")).join("; "),
    "busiest, %", (point) => 100 * point.busy, (value) => `${Math.round(value)} % busy`, {max: 100});
};

const fillOffered = () => data.offered.forEach((series, i) => element("offered-series").append(option(series.name, i)));
