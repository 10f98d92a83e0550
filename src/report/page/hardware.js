// Cycles and instructions by the CPUs' own counters, where a real host has them.
const fillHardware = () => {
  const shown = cells.filter(({cell}) => cell.hardware);
  element("hardware-section").hidden = shown.length === 0;
  if (shown.length === 0) return;
  const counted = shown.some(({cell}) => cell.hardware.lines.length > 0);
  element("hardware-note").textContent = (counted ? "Beside the CPU time, of the run that is shown. –: nothing was counted there." : "") +
    shown.filter(({cell}) => cell.hardware.notes).map(({comparison, cell}) => ` ${cell.platform}, ${comparison.name}: ${cell.hardware.notes}.`).join("");
  if (counted) table(element("hardware"), "Cycles and instructions", [{name: "work", text: true, wide: true}, {name: "platform", text: true},
    {name: "count", text: true}, ...data.counted_layers.map((name) => ({name})), {name: "total"}],
    shown.flatMap(({comparison, cell}) => cell.hardware.lines.map((line) => [comparison.name, cell.platform,
      line.is_ratio ? line.name : `${line.name} per ${unitName(comparison, comparison.unit)}`, ...line.layers, line.total])));
};
