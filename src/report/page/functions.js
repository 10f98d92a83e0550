// Flame graph: whole, domain, layer, image, function; what is wide costs much.
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
  if (empty || !element("functions-section").open) return;
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
    {name: "instructions"}, {name: "%"}, {name: "image", text: true}, {name: "domain", text: true},
    {name: "layer", text: true}, {name: "function", text: true}
  ], cell.functions.slice(0, mostRows).map((f) => [whole(f.instructions), readable(cell.total ? 100 * f.instructions / cell.total : 0), f.image, f.domain, f.layer, f.function]));
  const more = cell.more_functions + Math.max(0, cell.functions.length - mostRows);
  if (more > 0) {
    element("functions").append(make("p", `${whole(more)} cheaper functions are left out here; vtax report --format profile has all.`, "note"));
  }
};
