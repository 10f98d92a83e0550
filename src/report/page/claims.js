// Published beside measured: each in units of what was published (the middle of a range), or, where the paper gives words, of the
// limit that the test sets for them. All that were measured are there.
const drawClaims = () => {
  const measured = data.claims.filter((c) => c.measured !== null);
  const limit = (c) => c.at_least ?? c.at_most;
  const isGiven = (c) => c.published.length > 0 && c.published.every((v) => v > 0);
  const middle = (c) => isGiven(c) ? (c.published[0] + c.published[c.published.length - 1]) / 2 : limit(c);
  const rows = measured.filter((c) => middle(c) > 0);
  element("claims-chart").hidden = rows.length === 0;
  if (rows.length === 0) return;
  const most = Math.max(...rows.map((c) => c.measured / middle(c)), 1.5);
  const low = rows.map((c) => isGiven(c) ? Math.min(...c.published) / middle(c) : (c.at_least ?? 0) / middle(c));
  const high = rows.map((c) => isGiven(c) ? Math.max(...c.published) / middle(c) : c.at_most === null ? most : c.at_most / middle(c));
  const verdictColor = {"reproduced": "xen-pv", "not reproduced": "kvm", "undecided": "quiet"};
  const verdictSymbol = {"reproduced": "circle", "not reproduced": "diamond", "undecided": "triangle"};
  const rangeSize = isNarrow() ? 8 : 10;
  draw("claims-chart", 130 + rows.length * (isNarrow() ? 58 : 36),
    "Published and measured figures; the table below holds the same: " + rows.map((c) => `${c.id} ${readable(c.measured)}, ${c.verdict}`).join(", "), {
      grid: {left: 8, right: 64, top: 56, bottom: 30, containLabel: true},
      legend: {data: ["published", ...Object.keys(verdictColor)], top: 8, textStyle: {color: color("ink")}},
      tooltip: tooltip((p) => `${rows[p.dataIndex].says}\npublished ${rows[p.dataIndex].published_text}, measured ${readable(rows[p.dataIndex].measured)} ${rows[p.dataIndex].unit}`),
      xAxis: {type: "value", min: 0, ...axis(), ...namedX("measured, what was published = 1"), axisLabel: {color: color("quiet"), formatter: (v) => String(v)}},
      yAxis: {type: "category", data: rows.map((c) => c.says), inverse: true, ...axis(), axisTick: {show: false},
        axisLabel: {color: color("ink"), interval: 0, width: isNarrow() ? 150 : 420, overflow: "break", fontSize: isNarrow() ? 10 : 12, lineHeight: isNarrow() ? 12 : 14}},
      series: [
        {name: "published", type: "custom", itemStyle: {color: color("idle")}, data: rows.map((c, i) => [low[i], i, high[i]]), encode: {x: [0, 2], y: 1},
          renderItem: (params, api) => {
            const from = api.coord([api.value(0), api.value(1)]), to = api.coord([api.value(2), api.value(1)]);
            const width = Math.max(4, to[0] - from[0]);
            return {type: "rect", shape: {x: (from[0] + to[0]) / 2 - width / 2, y: from[1] - rangeSize, width, height: 2 * rangeSize, r: 2},
              style: {fill: color("idle")}};
          }},
        {name: "interval", type: "custom", silent: true, z: 5, encode: {x: [0, 1], y: 2}, data: rows.flatMap((c, i) => c.interval ? [[c.interval[0] / middle(c), c.interval[1] / middle(c), i]] : []),
          renderItem: (params, api) => whisker(api.coord([api.value(0), api.value(2)]), api.coord([api.value(1), api.value(2)]))},
        ...Object.keys(verdictColor).map((verdict) => ({
          name: verdict, type: "scatter", symbol: verdictSymbol[verdict], symbolSize: 14, itemStyle: {color: color(verdictColor[verdict])},
          data: rows.map((c) => c.verdict === verdict ? c.measured / middle(c) : null),
          label: {show: true, position: "right", color: color("ink"), formatter: (p) => readable(rows[p.dataIndex].measured)}
        }))
      ]
    });
};
