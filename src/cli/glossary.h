#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vtax {

// A row of docs/glossary.md, which is inside the program: the words' meanings stand there alone.
struct GlossaryRow {
  std::string word, meaning;  // plain text
  bool is_layer = false;      // of the table of layers
};

[[nodiscard]] std::vector<GlossaryRow> parse_glossary(std::string_view markdown);
[[nodiscard]] const std::vector<GlossaryRow>& glossary();

}  // namespace vtax
