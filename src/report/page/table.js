// Tables stand in the page as they are; here they become sortable by every column, and downloadable.
const csvField = (value) => {
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
};

// A cell's number, of which it may show less than is known; or its text.
const valueOf = (cell) => {
  if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
  const number = Number(cell.textContent.replaceAll(",", ""));
  return cell.classList.contains("text") || cell.textContent === "" || Number.isNaN(number) ? cell.textContent : number;
};

const download = (title, headings, rows) => {
  const lines = [headings, ...rows.map((row) => [...row.cells].map(valueOf))].map((row) => row.map(csvField).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], {type: "text/csv"}));
  link.download = (data.study + "-" + title).replace(/[^A-Za-z0-9]+/g, "-").toLowerCase() + ".csv";
  link.click();
  URL.revokeObjectURL(link.href);
};

const enhance = (wide) => {
  const made = wide.querySelector("table"), body = made.tBodies[0], title = wide.getAttribute("aria-label");
  const columns = [...made.tHead.rows[0].cells], headings = columns.map((column) => column.textContent);
  const button = make("button", "Download CSV");
  button.type = "button";
  button.setAttribute("aria-label", "Download as CSV: " + title);
  button.addEventListener("click", () => download(title, headings, [...body.rows]));
  wide.previousElementSibling.append(button);
  columns.forEach((column, i) => {
    const isText = column.classList.contains("text");
    const sort = make("button", headings[i]);
    sort.type = "button";
    sort.addEventListener("click", () => {
      const up = column.getAttribute("aria-sort") === (isText ? "ascending" : "descending") ? !isText : isText;
      for (const other of columns) other.removeAttribute("aria-sort");
      column.setAttribute("aria-sort", up ? "ascending" : "descending");
      const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
      const rows = [...body.rows].map((row) => ({row, value: valueOf(row.cells[i])}));
      rows.sort((a, b) => (up ? 1 : -1) * order(a.value, b.value));
      body.append(...rows.map(({row}) => row));
    });
    column.replaceChildren(sort);
  });
};

// For what is chosen in the page. columns: {name, text: true} or {name}; rows: arrays of texts.
const table = (into, title, columns, rows) => {
  const head = make("div", undefined, "table-head");
  head.append(make("h3", title));
  const wide = make("div", undefined, "wide");
  wide.tabIndex = 0;
  wide.setAttribute("role", "region");
  wide.setAttribute("aria-label", title);
  const made = make("table"), headRow = make("tr");
  columns.forEach((column) => {
    const cell = make("th", column.name, column.text ? "text" : "");
    cell.scope = "col";
    headRow.append(cell);
  });
  made.createTHead().append(headRow);
  made.createTBody().append(...rows.map((row) => {
    const line = make("tr");
    line.append(...row.map((text, i) => make("td", text, columns[i].text ? "text" : "")));
    return line;
  }));
  wide.append(made);
  into.append(head, wide);
  enhance(wide);
};
