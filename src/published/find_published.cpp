#include "published/find_published.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/readable.h"
#include "published/published.h"
#include "study/built_in.h"
#include "study/toml_text.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& published();
}

namespace {

Result<std::string> checked(std::string_view text, std::string_view shown_name) {
  if (auto parsed = parse_published(text, shown_name); !parsed) return fail(parsed.error());
  return std::string(text);
}

}  // namespace

std::vector<std::string> built_in_published() {
  return built_in_names(embedded::published());
}

Result<std::string> find_published(std::string_view path_or_name) {
  const std::string shown = printable(path_or_name, 200);
  if (path_or_name.ends_with(kTomlEnding)) {
    auto text = read_toml_text(std::filesystem::path(path_or_name),
                               fmt::format("cannot read published claims {}", shown),
                               "a path in a study file is seen from that file");
    if (!text) return fail(text.error());
    return checked(*text, path_or_name);
  }
  if (const EmbeddedFile* file = find_built_in(embedded::published(), path_or_name))
    return checked(file->content, file->name);
  return fail({fmt::format("cannot find published claims {}", shown), "none of this name come with vtax",
               built_in_suggestion(embedded::published(), path_or_name)});
}

}  // namespace vtax
