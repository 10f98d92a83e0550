#include "cli/init.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>

#include "cli/run_place.h"
#include "cli/say.h"
#include "core/embedded_file.h"
#include "core/files.h"
#include "core/readable.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& first_study();
}

namespace {

constexpr std::string_view kName = "my-study";

Result<ExitCode> init(const std::filesystem::path& file) {
  std::error_code ignored;
  const std::string shown = printable(file.string(), 200);
  if (std::filesystem::symlink_status(file, ignored).type() != std::filesystem::file_type::not_found)
    return fail({fmt::format("cannot write study {}", shown), "it is there already", "name another file"});
  const std::string name = file_name_of(file.stem().string());
  std::string text(embedded::first_study().front().content);
  for (std::size_t at = text.find(kName); at != std::string::npos; at = text.find(kName, at + name.size()))
    text.replace(at, kName.size(), name);
  if (auto written = write_text(file, text); !written) return fail(written.error());
  say("{0}: a study to begin with\n  vtax run {0} --dry-run    what it comes to\n  vtax run {0}              "
      "measure it\n",
      file.string());
  return ExitCode::ok;
}

Verb::Action add_init_options(CLI::App& app) {
  auto file = std::make_shared<std::string>(std::string(kName) + ".toml");
  app.add_option("FILE", *file, "The study file to write; it must not be there")->capture_default_str();
  return [file] { return init(*file); };
}

}  // namespace

Verb init_verb() {
  return {"init", "Write a study file to begin with",
          "vtax init my-study.toml && vtax run my-study.toml --dry-run", add_init_options, true};
}

}  // namespace vtax
