"use strict";
(() => {
  // Everything in `data` may be foreign text: it reaches the page by textContent and by SVG text only.
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const mostRows = 60;  // of a table of functions; the flame graph has more
  const units = ["packet", "KB", "transaction"];
  // What cost is counted in: "instructions", or "ns of CPU time" on a real host.
  const costName = data.cost[0].toUpperCase() + data.cost.slice(1);

  // As vtax's tables: about three figures, whole numbers with commas.
  const readable = (value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size < 10) return value.toFixed(2);
    if (size < 100) return value.toFixed(1);
    return Math.round(value).toLocaleString("en-US");
  };
  const whole = (value) => value.toLocaleString("en-US");
  const make = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const option = (text, value) => {
    const made = make("option", text);
    made.value = value;
    return made;
  };
  const cells = data.comparisons.flatMap((comparison) => comparison.cells.map((cell) => ({comparison, cell})));

  // ---- tables: sortable by every column, downloadable ----
  const csvField = (value) => {
    let text = String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  const download = (title, columns, rows) => {
    const lines = [columns.map((c) => c.name), ...rows].map((row) => row.map(csvField).join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], {type: "text/csv"}));
    link.download = (data.study + "-" + title).replace(/[^A-Za-z0-9]+/g, "-").toLowerCase() + ".csv";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  // columns: {name, text: true} or {name, show: value => text}; rows: arrays of raw values.
  const table = (into, title, columns, rows) => {
    const head = make("div", undefined, "table-head");
    head.append(make("h3", title));
    const button = make("button", "Download CSV");
    button.type = "button";
    button.setAttribute("aria-label", "Download as CSV: " + title);
    button.addEventListener("click", () => download(title, columns, rows));
    head.append(button);
    const wide = make("div", undefined, "wide");
    wide.tabIndex = 0;
    wide.setAttribute("role", "region");
    wide.setAttribute("aria-label", title);
    const made = make("table");
    const headRow = make("tr");
    const body = make("tbody");
    const fill = () => {
      body.replaceChildren(...rows.map((row) => {
        const line = make("tr");
        row.forEach((value, i) => {
          const column = columns[i];
          line.append(make("td", column.text ? String(value) : (column.show || readable)(value), column.text ? "text " + (column.wide ? "work" : column.words ? "words" : "") : ""));
        });
        return line;
      }));
    };
    columns.forEach((column, i) => {
      const cell = make("th", undefined, column.text ? "text" : "");
      cell.scope = "col";
      const sort = make("button", column.name);
      sort.type = "button";
      sort.addEventListener("click", () => {
        const down = cell.getAttribute("aria-sort") === (column.text ? "ascending" : "descending") ? !column.text : column.text;
        for (const other of headRow.children) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", down ? "ascending" : "descending");
        const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a ?? "").localeCompare(String(b ?? ""));
        rows.sort((a, b) => (down ? 1 : -1) * order(a[i], b[i]));
        fill();
      });
      cell.append(sort);
      headRow.append(cell);
    });
    const thead = make("thead");
    thead.append(headRow);
    made.append(thead, body);
    fill();
    wide.append(made);
    into.append(head, wide);
  };

  // ---- charts ----
  const charts = new Map();
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const isNarrow = () => window.innerWidth < 640;
  const draw = (id, height, label, option) => {
    const box = element(id);
    box.style.height = height + "px";
    box.setAttribute("aria-label", label);
    let chart = charts.get(id);
    if (!chart) charts.set(id, chart = echarts.init(box, null, {renderer: "svg"}));
    chart.resize();
    chart.setOption({
      animation: false, backgroundColor: "transparent",
      // The family by which the library measures text; with another one labels are cut.
      textStyle: {color: color("ink"), fontFamily: "sans-serif"}, ...option
    }, {notMerge: true});
    // What is drawn, as the chart holds it: for tests and tools.
    box.dataset.series = JSON.stringify(chart.getOption().series.map((s) => ({name: s.name, data: s.data})));
  };
  const axis = () => ({
    axisLabel: {color: color("quiet"), formatter: (v) => typeof v === "number" ? whole(v) : v},
    axisLine: {lineStyle: {color: color("line")}}, splitLine: {lineStyle: {color: color("line")}}
  });
  const tooltip = (show) => ({
    trigger: "item", renderMode: "richText", backgroundColor: color("panel"), borderColor: color("line"),
    textStyle: {color: color("ink")}, formatter: show
  });

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
    const palette = ["kernel", "hypervisor", "driver", "program", "uncharged"];
    draw("tax", 96 + rows.length * (14 + Math.max(isNarrow() ? 28 : 14, 14 * platforms.length)), "Tax of each platform; the tables below hold the same figures", {
      grid: {left: 8, right: 56, top: 48, bottom: 8, containLabel: true},
      legend: {data: platforms, top: 8, textStyle: {color: color("ink")}},
      tooltip: tooltip((p) => `${rows[p.dataIndex].name}\n${p.seriesName}: ${readable(p.value)} times native, per ${rows[p.dataIndex].unit}`),
      xAxis: {type: "value", min: 0, ...axis(), splitNumber: isNarrow() ? 2 : 5},
      yAxis: {type: "category", inverse: true, data: rows.map((c) => c.name), ...axis(), axisTick: {show: false},
        axisLabel: {interval: 0, color: color("ink"), width: isNarrow() ? 140 : 460, overflow: "break", lineHeight: isNarrow() ? 12 : 15,
          fontSize: isNarrow() ? 10 : 12}},
      series: platforms.map((platform, i) => ({
        name: platform, type: "bar", barMaxWidth: 14, itemStyle: {color: color(palette[i % palette.length])},
        data: rows.map((c) => (c.cells.find((cell) => cell.platform === platform) || {tax: null}).tax),
        label: {show: true, position: "right", color: color("quiet"), fontSize: 11, formatter: (p) => p.value ? p.value.toFixed(2) : ""},
        markLine: i > 0 ? undefined : {silent: true, symbol: "none", label: {show: false}, data: [{xAxis: 1}],
          lineStyle: {color: color("ink"), type: "dashed"}}
      }))
    });
  };

  // ---- published beside measured: each in units of the middle of what was published ----
  const drawClaims = () => {
    const rows = data.claims.filter((c) => c.measured !== null && c.published.length > 0 && c.published.every((v) => v > 0));
    element("claims-chart").hidden = rows.length === 0;
    if (rows.length === 0) return;
    const middle = (c) => (c.published[0] + c.published[c.published.length - 1]) / 2;
    const low = rows.map((c) => Math.min(...c.published) / middle(c));
    const high = rows.map((c) => Math.max(...c.published) / middle(c));
    const verdictColor = {"reproduced": "program", "not reproduced": "hypervisor"};
    const rangeSize = isNarrow() ? 8 : 10;
    draw("claims-chart", 104 + rows.length * (isNarrow() ? 46 : 30),
      "Published and measured figures; the table below holds the same: " + rows.map((c) => `${c.id} ${readable(c.measured)}, ${c.verdict}`).join(", "), {
        grid: {left: 8, right: 64, top: 56, bottom: 8, containLabel: true},
        legend: {data: ["published", "reproduced", "not reproduced"], top: 8, textStyle: {color: color("ink")}},
        tooltip: tooltip((p) => `${rows[p.dataIndex].says}\npublished ${rows[p.dataIndex].published_text}, measured ${readable(rows[p.dataIndex].measured)} ${rows[p.dataIndex].unit}`),
        xAxis: {type: "value", min: 0, ...axis(), axisLabel: {color: color("quiet"), formatter: (v) => v === 1 ? "published" : v + " ×"}, minInterval: 1},
        yAxis: {type: "category", data: rows.map((c) => c.id), inverse: true, ...axis(), axisTick: {show: false}, axisLabel: {color: color("ink")}},
        series: [
          {name: "published", type: "custom", itemStyle: {color: color("idle")}, data: rows.map((c, i) => [low[i], i, high[i]]), encode: {x: [0, 2], y: 1},
            renderItem: (params, api) => {
              const from = api.coord([api.value(0), api.value(1)]), to = api.coord([api.value(2), api.value(1)]);
              const width = Math.max(4, to[0] - from[0]);
              return {type: "rect", shape: {x: (from[0] + to[0]) / 2 - width / 2, y: from[1] - rangeSize, width, height: 2 * rangeSize, r: 2},
                style: {fill: color("idle")}};
            }},
          ...["reproduced", "not reproduced"].map((verdict) => ({
            name: verdict, type: "scatter", symbol: verdict === "reproduced" ? "circle" : "diamond", symbolSize: 14, itemStyle: {color: color(verdictColor[verdict])},
            data: rows.map((c) => c.verdict === verdict ? c.measured / middle(c) : null),
            label: {show: true, position: "right", color: color("ink"), formatter: (p) => readable(rows[p.dataIndex].measured)}
          }))
        ]
      });
  };

  // ---- a message's cost by its size, term by term ----
  const termColors = ["hypervisor", "driver", "kernel", "program", "idle", "uncharged"];
  const drawTerms = () => {
    const model = data.message_models[element("terms-model").value];
    if (!model) return;
    const sizes = model.sizes.map((s) => s % 1024 === 0 ? s / 1024 + " KiB" : s + " B");
    draw("terms-chart", 360, "Instructions per KB of a message by its size; the table below holds the terms", {
      grid: {left: 8, right: 16, top: isNarrow() ? 96 : 72, bottom: 28, containLabel: true},
      legend: {top: 8, textStyle: {color: color("ink")}, data: model.terms.map((t) => t.name), ...(isNarrow() ? {type: "scroll"} : {})},
      tooltip: tooltip((p) => `${p.seriesName}, S = ${sizes[p.dataIndex]}\n${readable(p.value)} instructions per KB`),
      xAxis: {type: "category", data: sizes, ...axis(), name: "S", nameLocation: "middle", nameGap: 26, nameTextStyle: {color: color("quiet")}},
      yAxis: {type: "value", ...axis(), name: "per KB", nameTextStyle: {color: color("quiet")}},
      series: model.terms.map((term, i) => ({
        name: term.name, type: "bar", stack: "all", barMaxWidth: 60,
        itemStyle: {color: color(termColors[i % termColors.length]), opacity: 1 - .35 * (Math.floor(i / termColors.length) % 3)},
        data: term.costs.map((cost, k) => cost * 1024 / model.sizes[k])
      }))
    });
    element("terms").replaceChildren();
    table(element("terms"), "Instructions per message of S bytes", [{name: "term", text: true}, ...sizes.map((name) => ({name})),
      {name: "constant"}, {name: "per KB of S"}, {name: "R²", show: (v) => v === null ? "–" : v.toFixed(3)}],
      model.terms.map((t) => [t.name, ...t.costs, t.constant, t.per_kilobyte, t.r_squared]));
  };

  // ---- CPUs: heat map, and Kiviat where there are enough of them ----
  const idle = data.layers.indexOf("idle");
  const busy = (layers) => layers.reduce((sum, v, i) => sum + (i === idle ? 0 : v), 0);
  const drawCpus = () => {
    const comparison = data.comparisons[element("comparison").value];
    element("cpus-section").hidden = !comparison || comparison.cells.every((cell) => cell.cpus.length === 0);
    if (element("cpus-section").hidden) return;
    const unit = element("unit").value;
    const shown = comparison.cells.filter((cell) => cell.per[unit]);
    const cpus = [...new Set(shown.flatMap((cell) => cell.cpus.map((c) => c.cpu)))].sort((a, b) => a - b);
    // Instructions of a CPU per unit of work, idling left out.
    const cost = (cell, cpu) => {
      const found = cell.cpus.find((c) => c.cpu === cpu);
      return found && cell.total ? busy(found.layers) * cell.per[unit].total / cell.total : 0;
    };
    const values = shown.flatMap((cell, y) => cpus.map((cpu, x) => [x, y, cost(cell, cpu)]));
    const most = Math.max(...values.map((v) => v[2]), 1);
    element("cpus-note").textContent = `${comparison.name}: ${data.cost} of each CPU per ${unit}, idling left out; the peer's CPU is no part of it.`;
    draw("heat", 96 + 48 * shown.length, `${costName} of each CPU per ${unit}: ` + values.map((v) => `${shown[v[1]].platform} CPU ${cpus[v[0]]} ${readable(v[2])}`).join(", "), {
      grid: {left: 8, right: 16, top: 16, bottom: 8, containLabel: true},
      tooltip: tooltip((p) => `${shown[p.value[1]].platform}, CPU ${cpus[p.value[0]]}\n${readable(p.value[2])} ${data.cost} per ${unit}`),
      visualMap: {show: false, min: 0, max: most, inRange: {color: [color("panel"), color("kernel")]}},
      xAxis: {type: "category", data: cpus.map((c) => "CPU " + c), ...axis(), splitArea: {show: false}},
      yAxis: {type: "category", data: shown.map((c) => c.platform), inverse: true, ...axis(), axisTick: {show: false}, axisLabel: {color: color("ink")}},
      series: [{name: data.cost, type: "heatmap", data: values, itemStyle: {borderColor: color("panel"), borderWidth: 2},
        label: {show: true, color: color("ink"), textBorderColor: color("panel"), textBorderWidth: 3, formatter: (p) => readable(p.value[2])}}]
    });
    element("kiviat").hidden = cpus.length < 3;
    if (cpus.length < 3) return;
    const palette = ["kernel", "hypervisor", "driver", "program", "uncharged"];
    draw("kiviat", Math.max(300, 96 + 48 * shown.length), "Kiviat diagram of each CPU's share; the heat map holds the figures", {
      legend: {data: shown.map((c) => c.platform), top: 8, textStyle: {color: color("ink")}},
      tooltip: tooltip((p) => p.name + "\n" + cpus.map((c, i) => `CPU ${c}: ${readable(p.value[i])}`).join("\n")),
      radar: {center: ["50%", "56%"], radius: "62%", indicator: cpus.map((c) => ({name: "CPU " + c, max: most})), axisName: {color: color("ink")},
        splitArea: {show: false}, splitLine: {lineStyle: {color: color("line")}}, axisLine: {lineStyle: {color: color("line")}}},
      series: [{name: "CPUs", type: "radar", data: shown.map((cell, i) => ({name: cell.platform, value: cpus.map((cpu) => cost(cell, cpu)),
        itemStyle: {color: color(palette[i % palette.length])}, areaStyle: {opacity: .15}}))}]
    });
  };

  // ---- rates that the costs allow: how busy everyone is when the busiest is full ----
  const drawRates = () => {
    const comparison = data.comparisons[element("comparison").value];
    const shown = comparison ? comparison.cells.filter((cell) => cell.capacity) : [];
    element("rates-section").hidden = shown.length === 0;
    if (shown.length === 0) return;
    const bars = shown.flatMap((cell) => cell.capacity.stations.map((station) => ({cell, station})));
    const name = ({cell, station}) => `${cell.platform}: ${station.name}`;
    element("rates-note").textContent = `${comparison.name}: ` + shown.map((cell) =>
      `${cell.platform} at most ${readable(cell.capacity.at_most)} ${cell.capacity.unit}` +
      (cell.capacity.measured === undefined ? "" : `, it ran at ${readable(cell.capacity.measured)}`)).join("; ") +
      `. The rate at which the busiest CPU or the wire is full, by ${data.speed}. Latency and windows can keep it lower.`;
    draw("rates", 40 + 34 * bars.length, "How busy each CPU and the wire are at that rate: " + bars.map((bar) => `${name(bar)} ${Math.round(100 * bar.station.utilisation)} %`).join(", "), {
      grid: {left: 8, right: 56, top: 8, bottom: 8, containLabel: true},
      tooltip: tooltip((p) => `${name(bars[p.dataIndex])}\n${readable(p.value)} % busy at ${readable(bars[p.dataIndex].cell.capacity.at_most)} ${bars[p.dataIndex].cell.capacity.unit}`),
      xAxis: {type: "value", min: 0, max: 100, ...axis(), axisLabel: {color: color("quiet"), formatter: (v) => v + " %"}, splitNumber: isNarrow() ? 2 : 5},
      yAxis: {type: "category", data: bars.map(name), inverse: true, ...axis(), axisTick: {show: false},
        axisLabel: {interval: 0, color: color("ink"), width: isNarrow() ? 130 : 320, overflow: "break"}},
      series: [{name: "utilisation", type: "bar", barMaxWidth: 18,
        data: bars.map(({station}) => ({value: 100 * station.utilisation, itemStyle: {color: color(station.utilisation > .995 ? "hypervisor" : "kernel")}})),
        label: {show: true, position: "right", color: color("ink"), formatter: (p) => Math.round(p.value) + " %"}}]
    });
  };

  // ---- fairness: each guest's rate by its own time, relative to their mean ----
  const drawFairness = () => {
    const comparison = data.comparisons[element("comparison").value];
    const shown = comparison ? comparison.cells.filter((cell) => cell.fairness !== null && cell.guests.length > 1) : [];
    element("fairness-section").hidden = shown.length === 0;
    if (shown.length === 0) return;
    const rates = (cell) => {
      const all = cell.guests.map((g) => (g.transactions || g.bytes) / g.ns);
      const mean = all.reduce((a, b) => a + b, 0) / all.length;
      return all.map((rate) => rate / mean);
    };
    const most = Math.max(...shown.map((cell) => cell.guests.length));
    const palette = ["kernel", "hypervisor", "driver", "program", "uncharged"];
    element("fairness-note").textContent = `${comparison.name}: Jain's fairness index ` + shown.map((cell) => `${cell.platform} ${cell.fairness.toFixed(3)}`).join(", ") +
      ". 1: all alike. A guest's amount by its own time, as a part of the guests' mean.";
    draw("fairness", 300, element("fairness-note").textContent, {
      grid: {left: 8, right: 16, top: 48, bottom: 8, containLabel: true},
      legend: {data: shown.map((cell) => cell.platform), top: 8, textStyle: {color: color("ink")}},
      tooltip: tooltip((p) => `${p.seriesName}, ${shown[p.seriesIndex].guests[p.dataIndex].guest}\n${readable(p.value)} of the mean`),
      xAxis: {type: "category", data: Array.from({length: most}, (_, i) => String(i + 1)), ...axis()},
      yAxis: {type: "value", min: 0, ...axis()},
      series: shown.map((cell, i) => ({name: cell.platform, type: "bar", barMaxWidth: 44, data: rates(cell),
        itemStyle: {color: color(palette[i % palette.length])},
        label: {show: true, position: "top", color: color("ink"), formatter: (p) => readable(p.value)}}))
    });
  };

  // ---- the course of the window: cost by layer of each slice of the work, and its pace ----
  const drawTimeline = () => {
    const comparison = data.comparisons[element("comparison").value];
    const shown = comparison ? comparison.cells.filter((cell) => cell.timeline) : [];
    element("timeline-section").hidden = shown.length === 0;
    if (shown.length === 0) return;
    const before = element("timeline-cell").value;
    element("timeline-cell").replaceChildren(...shown.map((cell, i) => option(cell.platform, i)));
    element("timeline-cell").value = before !== "" && before < shown.length ? before : shown.length - 1;
    const cell = shown[element("timeline-cell").value];
    const {end_ns: ends, done, layers} = cell.timeline;
    const lengths = ends.map((end, i) => end - (i ? ends[i - 1] : 0));
    const all = done.reduce((a, b) => a + b, 0), long = ends[ends.length - 1];
    const pace = done.map((amount, i) => lengths[i] && all ? amount / lengths[i] / (all / long) : null);
    const times = ends.map((end) => (end * 1e-6).toFixed(2));
    const note = `${cell.platform}, ${comparison.name}: ${ends.length} slices of the work, each with what was executed in it; and the pace of the work in it, as a part of the whole window's. ` +
      "Times are the machine's own: its CPUs take turns on one clock, so paces compare within a window, and not between platforms.";
    element("timeline-note").textContent = note;
    draw("timeline", 380, note, {
      grid: {left: 8, right: 8, top: isNarrow() ? 64 : 48, bottom: 28, containLabel: true},
      legend: {top: 8, textStyle: {color: color("ink")}, type: "scroll"},
      tooltip: tooltip((p) => `until ${times[p.dataIndex]} ms, ${p.seriesName}\n` + (p.seriesName === "pace" ? `${readable(p.value)} of the mean` : `${whole(p.value)} ${data.cost}`)),
      xAxis: {type: "category", data: times, ...axis(), name: "ms", nameLocation: "middle", nameGap: 26, nameTextStyle: {color: color("quiet")}},
      yAxis: [{type: "value", ...axis(), name: data.cost, nameTextStyle: {color: color("quiet"), align: "left"}},
        {type: "value", min: 0, ...axis(), splitLine: {show: false}, name: "pace", nameTextStyle: {color: color("quiet")}}],
      series: [...data.layers.map((layer, i) => ({name: layer, type: "bar", stack: "all", barCategoryGap: "10%", itemStyle: {color: color(layer)}, data: layers[i]})),
        {name: "pace", type: "line", yAxisIndex: 1, step: "end", symbol: "none", lineStyle: {color: color("ink"), width: 2}, itemStyle: {color: color("ink")}, data: pace}]
    });
  };

  // ---- flame graph: whole, domain, layer, image, function; what is wide costs much ----
  let flameFocus = null;
  const flameOf = (cell) => {
    const root = {name: "all", value: cell.total, layer: "", children: new Map()};
    const add = (path, layer, value) => {
      let at = root;
      for (const name of path) {
        if (!at.children.has(name)) at.children.set(name, {name, value: 0, layer, children: new Map()});
        at = at.children.get(name);
        at.value += value;
      }
    };
    const base = (layer) => layer.split(" ")[0];
    for (const f of cell.functions) add([f.domain, base(f.layer), f.image, f.function], base(f.layer), f.instructions);
    // What the page has no functions for, so that widths add up.
    for (const {domain, layers} of cell.domains) {
      layers.forEach((value, i) => {
        const layer = data.layers[i];
        const known = cell.functions.filter((f) => f.domain === domain && base(f.layer) === layer).reduce((sum, f) => sum + f.instructions, 0);
        if (value > known) add([domain, layer, "(cheaper functions)"], layer, value - known);
      });
    }
    const boxes = [];
    const place = (node, from, depth, path) => {
      boxes.push({name: node.name, layer: node.layer, path, value: [from, from + node.value, depth, node.value]});
      let at = from;
      for (const child of [...node.children.values()].sort((a, b) => b.value - a.value)) {
        place(child, at, depth + 1, [...path, child.name]);
        at += child.value;
      }
    };
    place(root, 0, 0, []);
    return boxes;
  };
  const drawFlame = () => {
    const chosen = cells[element("function-cell").value];
    const empty = !chosen || chosen.cell.functions.length === 0 || !chosen.cell.total;
    element("flame").hidden = empty;
    element("flame-note").hidden = empty;
    if (empty) return;
    const boxes = flameOf(chosen.cell);
    const [from, to] = flameFocus || [0, chosen.cell.total];
    element("flame-reset").hidden = flameFocus === null;
    const height = 26;
    element("flame-note").textContent = `Width: ${data.cost}. From the top: all, domain, layer, image, function. Choose a box to see it whole; the table below holds the same figures.`;
    draw("flame", 5 * height + 24, `Flame graph of ${chosen.cell.platform}, ${chosen.comparison.name}: ${whole(chosen.cell.total)} ${data.cost}; the table below holds the same`, {
      grid: {left: 8, right: 8, top: 8, bottom: 8},
      tooltip: tooltip((p) => `${["all", ...p.data.path].slice(-1)[0]}\n${p.data.path.slice(0, -1).join(" › ")}\n${whole(p.data.value[3])} ${data.cost}, ${(100 * p.data.value[3] / chosen.cell.total).toFixed(2)} %`),
      xAxis: {type: "value", min: from, max: to, show: false}, yAxis: {type: "value", min: 0, max: 5, inverse: true, show: false},
      series: [{name: data.cost, type: "custom", clip: true, encode: {x: [0, 1], y: 2}, data: boxes,
        renderItem: (params, api) => {
          const box = boxes[params.dataIndex];
          const start = Math.max(api.value(0), from), end = Math.min(api.value(1), to);
          if (end <= start) return undefined;
          const left = api.coord([start, api.value(2)]), right = api.coord([end, api.value(2)]);
          const width = right[0] - left[0];
          if (width < .4) return undefined;
          return {
            type: "rect", shape: {x: left[0], y: left[1], width: Math.max(width - 1, .4), height: height - 2, r: 2},
            style: {fill: box.layer ? color(box.layer) : color("line"), opacity: .6 + .1 * api.value(2)},
            textContent: width < 34 ? undefined : {style: {text: box.name, fill: box.layer ? "#fff" : color("ink"), stroke: box.layer ? "rgba(0,0,0,.55)" : "none", lineWidth: 2,
              fontSize: 11, fontFamily: "sans-serif", width: width - 10, overflow: "truncate", ellipsis: "…"}},
            textConfig: {position: "insideLeft", distance: 5}
          };
        }}]
    });
    const chart = charts.get("flame");
    chart.off("click");
    chart.on("click", (p) => {
      flameFocus = p.data.value[2] === 0 ? null : [p.data.value[0], p.data.value[1]];
      drawFlame();
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
  const fillFunctions = () => {
    const chosen = cells[element("function-cell").value];
    element("functions").replaceChildren();
    if (!chosen) return;
    const {cell} = chosen;
    if (cell.functions.length === 0) {
      element("functions").append(make("p", "No profile was recorded.", "note"));
      return;
    }
    table(element("functions"), "Instructions by function", [
      {name: "instructions", show: whole}, {name: "%"}, {name: "image", text: true}, {name: "domain", text: true},
      {name: "layer", text: true}, {name: "function", text: true}
    ], cell.functions.slice(0, mostRows).map((f) => [f.instructions, cell.total ? 100 * f.instructions / cell.total : 0, f.image, f.domain, f.layer, f.function]));
    const more = cell.more_functions + Math.max(0, cell.functions.length - mostRows);
    if (more > 0) {
      element("functions").append(make("p", `${whole(more)} cheaper functions are left out here; vtax report --format profile has all.`, "note"));
    }
  };
  const fillTraffic = () => {
    table(element("traffic"), "Packets of each network device", [
      {name: "work", text: true, wide: true}, {name: "platform", text: true}, {name: "side", text: true}, {name: "domain", text: true},
      {name: "device", text: true}, {name: "in", show: whole}, {name: "out", show: whole}, {name: "bytes in", show: whole},
      {name: "bytes out", show: whole}
    ], cells.flatMap(({comparison, cell}) => cell.devices.map((d) => [comparison.name, cell.platform, d.side, d.domain,
      d.device, d.received_packets, d.sent_packets, d.received_bytes, d.sent_bytes])));
    const rows = cells.flatMap(({comparison, cell}) => Object.entries(cell.events).map(([kind, count]) =>
      [comparison.name, cell.platform, kind.replaceAll("_", " "), count, count / (cell.units || 1), comparison.unit]));
    if (rows.length > 0) {
      table(element("traffic"), "Events", [{name: "work", text: true, wide: true}, {name: "platform", text: true}, {name: "event", text: true},
        {name: "count", show: whole}, {name: "per unit"}, {name: "unit", text: true}], rows);
    }
  };
  const fillClaims = () => {
    element("claims-section").hidden = data.claims.length === 0 && !data.claims_error;
    if (data.claims_error) element("claims-note").textContent = data.claims_error;
    if (data.claims.length === 0) return;
    const count = (verdict) => data.claims.filter((c) => c.verdict === verdict).length;
    element("claims-note").textContent = `${data.claims[0].paper}: ${count("reproduced")} of ${data.claims.length} claims reproduced, ` +
      `${count("not reproduced")} not reproduced, ${count("not testable")} not testable here.`;
    table(element("claims"), "Claims and verdicts", [{name: "claim", text: true, words: true}, {name: "published", text: true}, {name: "measured"},
      {name: "verdict", text: true, words: true}, {name: "quantity", text: true, words: true}, {name: "source", text: true, words: true},
      {name: "reason", text: true, words: true}],
      data.claims.map((c) => [c.says, c.published_text, c.measured, c.verdict, c.quantity, c.source, c.reason]));
  };
  const fillRates = () => {
    const rows = cells.filter(({cell}) => cell.capacity).flatMap(({comparison, cell}) => cell.capacity.stations.map((station) =>
      [comparison.name, cell.platform, cell.capacity.at_most, cell.capacity.measured ?? null, cell.capacity.unit, station.name, 100 * station.utilisation]));
    if (rows.length > 0)
      table(element("rates-table"), "Rates that the costs allow", [{name: "work", text: true, wide: true}, {name: "platform", text: true}, {name: "at most"},
        {name: "ran at"}, {name: "unit", text: true}, {name: "station", text: true}, {name: "busy, %"}], rows);
  };
  const fillFailed = () => {
    element("failed-section").hidden = data.failed.length === 0;
    if (data.failed.length === 0) return;
    table(element("failed"), "Trials that did not end", [{name: "trial", show: whole}, {name: "run", show: whole},
      {name: "platform", text: true}, {name: "work", text: true}, {name: "error", text: true}],
      data.failed.map((f) => [f.index, f.repetition, f.platform, f.name, f.error]));
  };
  const fillProvenance = () => {
    const show = (title, value) => {
      const details = make("details");
      details.append(make("summary", title), make("pre", typeof value === "string" ? value : JSON.stringify(value, null, 2)));
      element("provenance").append(details);
    };
    data.provenance.forEach((p, i) => show(data.provenance.length > 1 ? `What ran (${i + 1})` : "What ran", p));
    show("Settings", data.settings);
    show("Measuring computer", data.machine);
    if (data.study_source) show("Study file", data.study_source);
  };

  const fillTerms = () => {
    element("terms-section").hidden = data.message_models.length === 0;
    if (data.message_models.length === 0) return;
    element("terms-note").textContent = `The terms of ${data.model}, read from the exact function profile: each as constant + slope · S, by least squares.`;
    data.message_models.forEach((model, i) => element("terms-model").append(option(model.name, i)));
  };

  // What stands on the first screen comes first; the rest is drawn when that is on the screen.
  const drawFirst = () => { drawLayers(); drawTax(); };
  const drawRest = () => { drawClaims(); drawTerms(); drawCpus(); drawRates(); drawFairness(); drawTimeline(); drawFlame(); };
  const drawAll = () => { drawFirst(); drawRest(); };
  data.comparisons.forEach((comparison, i) => element("comparison").append(option(comparison.name, i)));
  if (data.headline) element("comparison").value = data.headline.comparison;
  fillUnits();
  if (data.headline) element("unit").value = data.headline.unit;
  fillTerms();
  drawFirst();
  document.body.dataset.firstPictureMs = String(Math.round(performance.now()));
  fillClaims();
  fillCosts();
  cells.forEach(({comparison, cell}, i) => element("function-cell").append(option(`${cell.platform}, ${comparison.name}`, i)));
  const first = cells.findIndex(({comparison, cell}) => data.headline &&
    comparison === data.comparisons[data.headline.comparison] && cell.platform === data.headline.platform);
  if (first > 0) element("function-cell").value = first;
  fillFunctions();
  fillTraffic();
  fillRates();
  fillFailed();
  fillProvenance();
  drawRest();

  element("comparison").addEventListener("change", () => { fillUnits(); drawLayers(); drawCpus(); drawRates(); drawFairness(); drawTimeline(); });
  element("timeline-cell").addEventListener("change", drawTimeline);
  element("unit").addEventListener("change", () => { drawLayers(); drawCpus(); });
  element("terms-model").addEventListener("change", drawTerms);
  element("function-cell").addEventListener("change", () => { flameFocus = null; fillFunctions(); drawFlame(); });
  element("flame-reset").addEventListener("click", () => { flameFocus = null; drawFlame(); });
  window.addEventListener("resize", drawAll);
  window.addEventListener("beforeprint", drawAll);
  window.addEventListener("afterprint", drawAll);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  document.body.dataset.ready = "true";
})();
