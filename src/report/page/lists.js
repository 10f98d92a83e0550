const fillTraffic = () => {
  table(element("traffic"), "Packets of each network device", [
    {name: "work", text: true, wide: true}, {name: "platform", text: true}, {name: "side", text: true}, {name: "domain", text: true},
    {name: "device", text: true}, {name: "in", show: whole}, {name: "out", show: whole}, {name: "bytes in", show: whole},
    {name: "bytes out", show: whole}
  ], cells.flatMap(({comparison, cell}) => cell.devices.map((d) => [comparison.name, cell.platform, d.side, d.domain,
    d.device, d.received_packets, d.sent_packets, d.received_bytes, d.sent_bytes])));
  const rows = cells.flatMap(({comparison, cell}) => Object.entries(cell.events).map(([kind, count]) =>
    [comparison.name, cell.platform, kind.replaceAll("_", " "), count, count / (cell.units || 1), unitName(comparison, comparison.unit)]));
  if (rows.length > 0) {
    table(element("traffic"), "Events", [{name: "work", text: true, wide: true}, {name: "platform", text: true}, {name: "event", text: true},
      {name: "count", show: whole}, {name: "per unit"}, {name: "unit", text: true}], rows);
  }
};

const fillFailed = () => {
  element("failed-section").hidden = data.failed.length === 0;
  if (data.failed.length === 0) return;
  table(element("failed"), "Trials that did not end", [{name: "trial", show: whole}, {name: "run", show: whole},
    {name: "platform", text: true}, {name: "work", text: true}, {name: "error", text: true}],
    data.failed.map((f) => [f.trial, f.repetition, f.platform, f.name, f.error]));
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
