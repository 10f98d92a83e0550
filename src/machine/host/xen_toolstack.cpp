#include "machine/host/xen_toolstack.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "core/subprocess.h"

namespace vtax::host {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kQuestionLimit{10};

fs::path program_named(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string places = (path == nullptr ? std::string() : std::string(path)) +
                       ":/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/opt/xensource/bin";
  while (!places.empty()) {
    const std::size_t end = std::min(places.find(':'), places.size());
    const fs::path file = fs::path(places.substr(0, end)) / name;
    places.erase(0, std::min(end + 1, places.size()));
    if (file.is_absolute() && access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

// "key   : value" of a line.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view name = line.substr(0, colon), value = line.substr(colon + 1);
    name = name.substr(0, name.find_last_not_of(' ') + 1);
    if (name != key) continue;
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value.substr(0, value.find_last_not_of(" \r") + 1);
  }
  return std::nullopt;
}

template <class T>
bool to_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Error unavailable(std::string what, std::string why, std::string next) {
  return {std::move(what), std::move(why), std::move(next), ExitCode::unavailable};
}

}  // namespace

Result<XenToolstack> find_xen_toolstack() {
  XenToolstack found;
  found.xl = program_named("xl");
  found.nothing = program_named("true");
  if (found.xl.empty())
    return fail(unavailable("find Xen's toolstack", "there is no xl in PATH",
                            "install it: apt install xen-utils, or your distribution's Xen tools"));
  if (found.nothing.empty()) return fail(unavailable("find a program", "there is no `true` in PATH", ""));
  return found;
}

std::optional<XenFacts> parse_xl_info(std::string_view text) {
  const auto version = value_of(text, "xen_version"), memory = value_of(text, "free_memory"),
             cpus = value_of(text, "nr_cpus");
  XenFacts facts;
  if (!version || version->empty() || !memory || !to_number(*memory, facts.free_mib) || !cpus ||
      !to_number(*cpus, facts.cpus))
    return std::nullopt;
  facts.version = *version;
  const std::string virtual_caps = " " + std::string(value_of(text, "virt_caps").value_or("")) + " ";
  facts.has_hvm = virtual_caps.find(" hvm ") != std::string::npos;
  return facts;
}

Result<XenFacts> ask_xen(const XenToolstack& toolstack) {
  const auto info = run_xl(toolstack, {"info"}, kQuestionLimit);
  if (!info) return fail(info.error());
  if (const auto store = run_xl(toolstack, {"domid", "Domain-0"}, kQuestionLimit); !store)
    return fail(unavailable("ask xenstored", store.error().why,
                            "as root: systemctl start xen-init-dom0 (or your distribution's xencommons)"));
  auto facts = parse_xl_info(*info);
  if (!facts) return fail(unavailable("read what `xl info` says", "it names no version, memory or CPUs", ""));
  return std::move(*facts);
}

Result<std::string> run_xl(const XenToolstack& toolstack, const std::vector<std::string>& arguments,
                           std::chrono::seconds limit) {
  const std::string what = "run xl " + arguments.front();
  Command command{.arguments = {toolstack.xl.string()}, .time_limit = limit, .outlives = true};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  const auto finished = run_command(command);
  if (!finished) return fail(finished.error());
  if (finished->timed_out)
    return fail(unavailable(what, fmt::format("it was not over after {} s", limit.count()),
                            "`xl list` and `xl dmesg` show what Xen is doing"));
  if (finished->ok()) return finished->out;
  return fail(
      unavailable(what, "it failed; its last words:\n" + last_lines(finished->out + finished->err, 6), ""));
}

}  // namespace vtax::host
