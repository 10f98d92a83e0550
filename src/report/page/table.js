// Tables: sortable by every column, downloadable.
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

// columns: {name, text: true} or {name, show: (value, row) => text}; rows: arrays of raw values.
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
        line.append(make("td", column.text ? String(value) : (column.show || readable)(value, row), column.text ? "text " + (column.wide ? "work" : column.words ? "words" : "") : ""));
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
