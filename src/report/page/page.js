"use strict";
(() => {
  // Everything in `data` may be foreign text: it reaches the page by textContent and by SVG text only.
  const data = JSON.parse(document.getElementById("data").textContent);
  const costUnit = data.cost_unit;
  const element = (id) => document.getElementById(id);
  const units = ["packet", "KB", "transaction"];

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
      `${costUnit === "instructions" ? "Instructions" : costUnit} per ${unit}: ` + shown.map((c) => `${c.platform} ${readable(c.per[unit].total)}`).join(", "), {
        grid: {left: 8, right: isNarrow() ? 64 : 120, top: 56, bottom: 8, containLabel: true},
        legend: {data: data.layers, top: 8, textStyle: {color: color("ink")}, type: "scroll"},
        tooltip: tooltip((p) => `${names[p.dataIndex]}, ${p.seriesName}\n${readable(p.value)} ${costUnit} per ${unit}`),
        xAxis: {type: "value", ...axis(), splitNumber: isNarrow() ? 2 : 5},
        yAxis: {type: "category", data: names, inverse: true, ...axis(), axisLabel: {color: color("ink"), fontSize: 14},
          axisTick: {show: false}},
        series
      });
    element("picture-note").textContent = `${comparison.name}: ${costUnit} per ${unit}; ` + shown.map((cell) =>
      `${cell.platform}: ${whole(cell.work.packets)} packets` +
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
        axisLabel: {color: color("ink"), width: isNarrow() ? 140 : 460, overflow: "break", lineHeight: isNarrow() ? 12 : 15,
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

  // ---- sections ----
  const option = (text, value) => {
    const made = make("option", text);
    made.value = value;
    return made;
  };
  const fillUnits = () => {
    const comparison = data.comparisons[element("comparison").value];
    const before = element("unit").value;
    const has = units.filter((unit) => comparison && comparison.cells.some((cell) => cell.per[unit]));
    element("unit").replaceChildren(...has.map((unit) => option(unit, unit)));
    if (has.includes(before)) element("unit").value = before;
  };
  const fillCosts = () => {
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
    ], cell.functions.map((f) => [f.instructions, cell.total ? 100 * f.instructions / cell.total : 0, f.image, f.domain, f.layer, f.function]));
    if (cell.more_functions > 0) {
      element("functions").append(make("p", `${whole(cell.more_functions)} cheaper functions are left out here; vtax report --format profile has all.`, "note"));
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
    table(element("claims"), "Claims and verdicts", [{name: "claim", text: true, words: true}, {name: "source", text: true, words: true},
      {name: "quantity", text: true, words: true}, {name: "published", text: true}, {name: "measured"}, {name: "verdict", text: true, words: true},
      {name: "reason", text: true, words: true}],
      data.claims.map((c) => [c.says, c.source, c.quantity, c.published_text, c.measured, c.verdict, c.reason]));
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

  const drawAll = () => { drawLayers(); drawTax(); };
  data.comparisons.forEach((comparison, i) => element("comparison").append(option(comparison.name, i)));
  if (data.headline) element("comparison").value = data.headline.comparison;
  fillUnits();
  if (data.headline) element("unit").value = data.headline.unit;
  drawAll();
  fillClaims();
  fillCosts();
  cells.forEach(({comparison, cell}, i) => element("function-cell").append(option(`${cell.platform}, ${comparison.name}`, i)));
  const first = cells.findIndex(({comparison, cell}) => data.headline &&
    comparison === data.comparisons[data.headline.comparison] && cell.platform === data.headline.platform);
  if (first > 0) element("function-cell").value = first;
  fillFunctions();
  fillTraffic();
  fillFailed();
  fillProvenance();

  element("comparison").addEventListener("change", () => { fillUnits(); drawLayers(); });
  element("unit").addEventListener("change", drawLayers);
  element("function-cell").addEventListener("change", fillFunctions);
  window.addEventListener("resize", drawAll);
  window.addEventListener("beforeprint", drawAll);
  window.addEventListener("afterprint", drawAll);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  document.body.dataset.ready = "true";
})();
