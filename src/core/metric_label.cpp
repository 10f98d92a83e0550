#include "core/metric_label.h"

#include "core/harmless.h"

namespace vtax {

std::string metric_label(std::string_view text) {
  std::string out;
  for (const char c : printable_text(text)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

}  // namespace vtax
