#include "study/study.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <toml++/toml.h>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "core/readable.h"
#include "study/catalogue.h"
#include "study/study_reader.h"

namespace vtax {
namespace {

constexpr std::size_t kLargestFile = 1U << 20U;
constexpr std::size_t kLongestLine = 4096;

Result<> check_lines(std::string_view text, const std::string& what) {
  std::size_t line = 1;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (end - start > kLongestLine) {
      return fail({what, fmt::format("line {} is longer than {} bytes", line, kLongestLine),
                   "an array may go over several lines"});
    }
    start = end + 1;
    ++line;
  }
  return {};
}

}  // namespace

Result<Study> parse_study(std::string_view text, std::string_view shown_name) {
  const std::string what = fmt::format("cannot read study file {}", printable(shown_name, 200));
  if (text.size() > kLargestFile)
    return fail({what, "it is larger than 1 MiB", "a study is a short text file"});
  if (!is_text(text)) return fail({what, "it is not UTF-8 text", "a study is a short text file in TOML"});
  if (auto checked = check_lines(text, what); !checked) return fail(checked.error());

  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto at = parsed.error().source().begin;
    return fail({what,
                 fmt::format("line {}, column {}: {}", at.line, at.column,
                             printable(parsed.error().description(), 200)),
                 "the file is in TOML; docs/study-files.md shows one"});
  }
  auto study = StudyReader(what).read(parsed.table());
  if (study) study->source = text;
  return study;
}

Result<Study> read_study(const std::filesystem::path& file) {
  const std::string what = fmt::format("cannot read study file {}", printable(file.string(), 200));
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) return fail({what, "it is a directory", ""});
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    Error e = system_error(what, errno);
    e.code = ExitCode::usage;
    if (errno == ENOENT) e.next = "`vtax list studies` names those that come with vtax";
    return fail(std::move(e));
  }
  std::string text(kLargestFile + 1, '\0');  // one more than allowed: endless files end here
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return fail(system_error(what, EIO));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return parse_study(text, file.string());
}

}  // namespace vtax
