#include "cli/glossary.h"

#include <algorithm>
#include <optional>

#include "core/embedded_file.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& glossary();
}

namespace {

// Without Markdown's marks: `code`, [text](address).
std::string plain_text(std::string_view markdown) {
  std::string text;
  for (std::size_t i = 0; i < markdown.size(); ++i) {
    if (markdown[i] == '`' || markdown[i] == '[') continue;
    if (markdown[i] == ']') {
      if (const auto end = markdown.find(')', i);
          markdown.substr(i).starts_with("](") && end != std::string_view::npos)
        i = end;
      continue;
    }
    text += markdown[i];
  }
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// The two cells of "| a | b |".
std::optional<std::pair<std::string, std::string>> cells_of(std::string_view line) {
  if (!line.starts_with("| ")) return std::nullopt;
  const auto middle = line.find(" | ", 1), end = line.rfind(" |");
  if (middle == std::string_view::npos || end <= middle) return std::nullopt;
  return std::pair(plain_text(line.substr(2, middle - 2)),
                   plain_text(line.substr(middle + 3, end - middle - 3)));
}

}  // namespace

std::vector<GlossaryRow> parse_glossary(std::string_view markdown) {
  std::vector<GlossaryRow> rows;
  bool is_heading = true, is_layer = false;
  while (!markdown.empty()) {
    const auto end = std::min(markdown.find('\n'), markdown.size());
    const std::string_view line = markdown.substr(0, end);
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
    const auto cells = cells_of(line);
    if (!cells) {
      if (!line.starts_with("|-")) is_heading = true;  // the table has ended
      continue;
    }
    if (is_heading) {
      is_layer = cells->first == "layer";
      is_heading = false;
      continue;
    }
    // "tap, vif" are two words of one meaning.
    for (std::string_view words = cells->first; !words.empty();) {
      const auto comma = std::min(words.find(", "), words.size());
      rows.push_back({std::string(words.substr(0, comma)), cells->second, is_layer});
      words.remove_prefix(std::min(comma + 2, words.size()));
    }
  }
  return rows;
}

const std::vector<GlossaryRow>& glossary() {
  static const std::vector<GlossaryRow> rows = parse_glossary(embedded::glossary().front().content);
  return rows;
}

}  // namespace vtax
