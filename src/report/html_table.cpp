#include "report/html_table.h"

#include <fmt/format.h>

#include "core/harmless.h"
#include "core/readable.h"

namespace vtax {
namespace {

std::string_view class_of(HtmlTable::Kind kind) {
  switch (kind) {
    case HtmlTable::Kind::number:
      return "";
    case HtmlTable::Kind::text:
      return " class=\"text\"";
    case HtmlTable::Kind::words:
      return " class=\"text words\"";
    case HtmlTable::Kind::work:
      return " class=\"text work\"";
  }
  return "";
}

}  // namespace

std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : printable_text(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

void HtmlTable::begin_row() {
  if (!has_begun_) {
    const std::string title = escaped_html(title_);
    out_ << fmt::format(
        "<div class=\"table-head\"><h3>{0}</h3></div>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" "
        "aria-label=\"{0}\"><table>\n<thead><tr>",
        title);
    for (const Column& column : columns_)
      out_ << fmt::format("<th scope=\"col\"{}>{}</th>", column.kind == Kind::number ? "" : " class=\"text\"",
                          escaped_html(column.name));
    out_ << "</tr></thead>\n<tbody>\n";
    has_begun_ = true;
  }
  place_ = 0;
  out_ << "<tr>";
}

void HtmlTable::end_row() {
  out_ << "</tr>\n";
}

HtmlTable::~HtmlTable() {
  if (has_begun_) out_ << "</tbody></table></div>\n";
}

void HtmlTable::cell(std::string_view html, std::optional<double> value) {
  out_ << "<td" << class_of(columns_[place_++].kind);
  if (value) out_ << fmt::format(" data-v=\"{:.7g}\"", *value);
  out_ << '>' << html << "</td>";
}

HtmlTable& HtmlTable::text(std::string_view text) {
  cell(escaped_html(text));
  return *this;
}

HtmlTable& HtmlTable::lines(const std::vector<std::string>& lines) {
  std::string html;
  for (const std::string& line : lines) html += (html.empty() ? "" : "<br>\n") + escaped_html(line);
  cell(html);
  return *this;
}

HtmlTable& HtmlTable::number(double value) {
  return shown(readable(value), value);
}

HtmlTable& HtmlTable::number(std::optional<double> value) {
  return value ? number(*value) : shown("–", std::nullopt);
}

HtmlTable& HtmlTable::whole(std::uint64_t value) {
  cell(with_thousands(value));
  return *this;
}

HtmlTable& HtmlTable::shown(std::string_view text, std::optional<double> value) {
  cell(escaped_html(text), value);
  return *this;
}

}  // namespace vtax
