// Everything in `data` may be foreign text: it reaches the page by textContent and by SVG text only.
const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const mostRows = 60;  // of a table of functions; the flame graph has more
const units = ["packet", "KB", "transaction"];
// What cost is counted in: "instructions", or "ns of CPU time" on a real host.
const isTime = data.cost !== "instructions";
const costName = isTime ? "CPU time" : "Instructions";

// As vtax's tables: about three figures, whole numbers with commas.
const readable = (value) => {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 10) return value.toFixed(2);
  if (size < 100) return value.toFixed(1);
  return Math.round(value).toLocaleString("en-US");
};
// What people call a unit of the comparison's work: of a compiler's transactions, compiles.
const unitName = (comparison, unit) => unit === "transaction" ? comparison.transaction : unit;
// In a picture, where millions and more are too long to stand: "24.9 M".
const short = (value) => {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size < 1e6) return readable(value);
  return size < 1e9 ? readable(value / 1e6) + " M" : readable(value / 1e9) + " G";
};
// Costs as src/query/cost_text.h writes them: CPU time in the unit that it has the size of.
const timeUnits = [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]];
const timeUnit = (ns) => timeUnits.find(([size]) => Math.abs(ns) >= 0.9995 * size) || timeUnits[3];
const costText = (value, show = readable) => {
  if (!isTime || !Number.isFinite(value) || value === 0) return show(value);
  const [size, name] = timeUnit(value);
  return `${readable(value / size)} ${name}`;
};
const costPhrase = (value) => `${costText(value)} ${isTime ? "of CPU time" : data.cost}`;
// Of an axis.
const costScale = (most) => isTime ? {size: timeUnit(most)[0], name: `${timeUnit(most)[1]} of CPU time`} : {size: 1, name: data.cost};
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
