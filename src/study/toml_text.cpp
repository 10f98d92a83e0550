#include "study/toml_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/input_file.h"
#include "core/readable.h"

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

Result<toml::table> parse_toml(std::string_view text, const TomlPurpose& purpose) {
  if (text.size() > kLargestFile)
    return fail({purpose.what, "it is larger than 1 MiB", std::string(purpose.is)});
  if (!is_text(text))
    return fail({purpose.what, "it is not UTF-8 text", fmt::format("{} in TOML", purpose.is)});
  if (auto checked = check_lines(text, purpose.what); !checked) return fail(checked.error());
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto at = parsed.error().source().begin;
    return fail({purpose.what,
                 fmt::format("line {}, column {}: {}", at.line, at.column,
                             printable(parsed.error().description(), 200)),
                 fmt::format("the file is in TOML; {}", purpose.see)});
  }
  return std::move(parsed).table();
}

Result<std::string> read_toml_text(const std::filesystem::path& file, const std::string& what,
                                   std::string_view if_missing) {
  const auto in = open_input(file, what);
  if (!in) {
    Error error = in.error();
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) error.next = if_missing;
    return fail(std::move(error));
  }
  return read_up_to(*in, kLargestFile + 1, what);  // one more than allowed
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a point";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
  }
  return "something else";
}

}  // namespace vtax
