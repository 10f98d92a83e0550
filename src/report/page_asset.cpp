#include "report/page_asset.h"

#include <algorithm>
#include <vector>

#include "core/embedded_file.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& page();
}  // namespace embedded

std::string_view page_asset(std::string_view name) {
  const auto& all = embedded::page();
  return std::find_if(all.begin(), all.end(), [&](const EmbeddedFile& file) { return file.name == name; })
      ->content;
}

}  // namespace vtax
