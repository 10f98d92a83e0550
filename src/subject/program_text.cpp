#include "subject/program_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <regex>

#include "core/readable.h"

namespace vtax {
namespace {

// std::regex descends once for each character.
constexpr std::size_t kLongestMatchedLine = 1000;

Error bad_text(std::string_view factor, std::string why, std::string next) {
  return {fmt::format("cannot use '{}' of the workload program", factor), std::move(why), std::move(next),
          ExitCode::usage};
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_package_name(std::string_view name) {
  return name.size() >= 2 && name.front() != '-' && name.front() != '.' && name.front() != '+' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
         });
}

// As adduser has them.
bool is_user_name(std::string_view name) {
  return !name.empty() && ((name.front() >= 'a' && name.front() <= 'z') || name.front() == '_') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

}  // namespace

Result<std::vector<std::string>> words_of(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool escapes = c == '\\' && quote != '\'' && i + 1 < command.size();
    if (escapes) {
      word += command[++i];
      in_word = true;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      in_word = true;
    } else if (quote == 0 && c == ' ') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0)
    return fail(
        {"", fmt::format("'{}' has a quote without an end", printable(command)), "", ExitCode::usage});
  if (in_word) words.push_back(std::move(word));
  if (words.empty() || words.front().empty()) return fail({"", "it names no program", "", ExitCode::usage});
  return words;
}

Result<Ready> Ready::of(std::string_view text) {
  const std::size_t space = text.find(' ');
  const std::string_view kind = text.substr(0, space),
                         rest = space == std::string_view::npos ? "" : text.substr(space + 1);
  constexpr std::uint64_t kMostSeconds = 600, kMostPort = 65535;
  const auto number = whole_number(rest);
  if (kind == "port" && number && *number >= 1 && *number <= kMostPort) return Ready{By::port, *number, {}};
  if (kind == "seconds" && number && *number <= kMostSeconds) return Ready{By::seconds, *number, {}};
  if (kind == "output" && !rest.empty()) return Ready{By::output, 0, std::string(rest)};
  return fail(bad_text("ready", fmt::format("'{}' says nothing that can be waited for", printable(text)),
                       "write \"port 6379\", \"output some words\" or \"seconds 2\""));
}

Result<Operations> Operations::of(std::string_view text) {
  if (const auto number = whole_number(text)) {
    if (*number >= 1) return Operations{*number, {}};
  } else {
    try {
      const std::regex pattern{std::string(text)};
      if (pattern.mark_count() >= 1) return Operations{std::nullopt, std::string(text)};
    } catch (const std::regex_error&) {
    }
  }
  return fail(bad_text("operations",
                       fmt::format("'{}' is neither a number nor a pattern with a group", printable(text)),
                       "write how many operations the client does, or for example \"([0-9]+) requests in\""));
}

Result<std::uint64_t> Operations::in(std::string_view output) const {
  if (number) return *number;
  const std::regex expression(pattern);
  while (!output.empty()) {
    const std::string line(output.substr(0, std::min(output.find('\n'), kLongestMatchedLine)));
    output.remove_prefix(std::min(
        output.size(), output.find('\n') == std::string_view::npos ? output.size() : output.find('\n') + 1));
    std::smatch match;
    if (!std::regex_search(line, match, expression)) continue;
    std::string digits = match[1].str();
    std::erase(digits, ',');
    if (const auto dot = digits.find('.'); dot != std::string::npos) digits.resize(dot);
    if (const auto found = whole_number(digits); found && *found >= 1) return *found;
  }
  return fail(
      {"count the client's operations",
       fmt::format("no line of what it printed has a number from 1 on where '{}' says", printable(pattern)),
       "", ExitCode::trial_failed});
}

Result<> check_program(const TrialSpec& trial) {
  if (trial.client.empty())
    return fail(bad_text("client", "it is missing, and its run is what is measured",
                         "add a line such as client = \"redis-benchmark -h {server} -n 2000\""));
  if (trial.packages.empty() && trial.files.empty())
    return fail(bad_text("packages", "neither packages nor files are named, so there is no program",
                         "add packages = [\"redis-tools\"] or files = \"./my-program\""));
  for (const auto& [factor, command] :
       {std::pair{"client", &trial.client}, std::pair{"server", &trial.server},
        std::pair{"prepare", &trial.prepare}}) {
    if (command->empty()) continue;
    if (const auto words = words_of(*command); !words)
      return fail(bad_text(factor, words.error().why, "write the program's name and its arguments"));
  }
  if (trial.server.empty() && trial.client.find("{server}") != std::string::npos)
    return fail(bad_text("client", "it has {server} in it, but there is no server", "add server = \"...\""));
  if (!is_user_name(trial.user))
    return fail(bad_text("user", fmt::format("'{}' is no name of a user", printable(trial.user)),
                         "take root, or program, who has no rights of root's"));
  if (const auto ready = Ready::of(trial.ready); !ready) return fail(ready.error());
  if (const auto operations = Operations::of(trial.operations); !operations) return fail(operations.error());
  if (trial.packages.empty()) return {};
  const auto names = words_of(trial.packages);
  if (!names) return fail(bad_text("packages", names.error().why, ""));
  for (const std::string& name : *names)
    if (!is_package_name(name))
      return fail(bad_text("packages", fmt::format("'{}' is no name of a package", printable(name)),
                           "names are of small letters, digits, '+', '-' and '.'"));
  if (std::all_of(names->begin(), names->end(), [](const auto& name) { return name.ends_with('-'); }))
    return fail(bad_text("packages", "all of them are to be left out (a '-' behind the name)",
                         "name the package that holds the program, too"));
  return {};
}

}  // namespace vtax
