// A message's cost by its size, term by term.
const termColors = ["hypervisor", "driver", "kernel", "program", "idle", "uncharged"];

const drawTerms = () => {
  const model = data.message_models[element("terms-model").value];
  if (!model || !element("terms-section").open) return;
  const sizes = model.sizes.map((s) => s % 1024 === 0 ? s / 1024 + " KiB" : s + " B");
  draw("terms-chart", 360, "Instructions per KB of a message by its size; the table below holds the terms", {
    grid: {left: 8, right: 16, top: isNarrow() ? 96 : 72, bottom: 28, containLabel: true},
    legend: {top: 8, textStyle: {color: color("ink")}, data: model.terms.map((t) => t.name), ...(isNarrow() ? {type: "scroll"} : {})},
    tooltip: tooltip((p) => `${p.seriesName}, S = ${sizes[p.dataIndex]}\n${readable(p.value)} instructions per KB`),
    xAxis: {type: "category", data: sizes, ...axis(), ...namedX("S, the size of a message")},
    yAxis: {type: "value", ...axis(), ...namedY("instructions per KB")},
    series: model.terms.map((term, i) => ({
      name: term.name, type: "bar", stack: "all", barMaxWidth: 60,
      itemStyle: {color: color(termColors[i % termColors.length]), opacity: 1 - .35 * (Math.floor(i / termColors.length) % 3)},
      data: term.costs.map((cost, k) => cost * 1024 / model.sizes[k])
    }))
  });
  document.querySelectorAll(".model").forEach((one, i) => { one.hidden = i !== Number(element("terms-model").value); });
};

const fillTerms = () => data.message_models.forEach((model, i) => element("terms-model").append(option(model.name, i)));
