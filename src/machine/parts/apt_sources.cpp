#include "machine/parts/apt_sources.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "core/files.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

// Field names in lower case; values may go over several lines, as a key inside the file does.
using Stanza = std::map<std::string, std::string>;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

bool has_word(const std::string& text, std::string_view word) {
  const auto all = words(text);
  return std::find(all.begin(), all.end(), word) != all.end();
}

std::vector<Stanza> parse_deb822(const std::string& text) {
  std::vector<Stanza> stanzas(1);
  std::istringstream in(text);
  std::string key;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    if (words(line).empty()) {
      if (!stanzas.back().empty()) stanzas.emplace_back();
      key.clear();
    } else if (line[0] == ' ' || line[0] == '\t') {
      if (!key.empty()) stanzas.back()[key] += "\n" + line;
    } else if (const std::size_t colon = line.find(':'); colon != std::string::npos) {
      key = lower(line.substr(0, colon));
      const std::size_t value = line.find_first_not_of(" \t", colon + 1);
      stanzas.back()[key] = value == std::string::npos ? "" : line.substr(value);
    }
  }
  return stanzas;
}

// "deb [signed-by=/k arch=amd64] http://host/debian bookworm main"
std::optional<Stanza> parse_line(std::string line) {
  line = line.substr(0, line.find('#'));
  Stanza stanza;
  if (const std::size_t open = line.find('['); open != std::string::npos) {
    const std::size_t close = line.find(']', open);
    if (close == std::string::npos) return std::nullopt;
    const std::map<std::string, std::string> fields = {{"signed-by", "signed-by"}, {"trusted", "trusted"}};
    for (const std::string& option : words(line.substr(open + 1, close - open - 1))) {
      const std::size_t equals = option.find('=');
      if (equals != std::string::npos && fields.contains(lower(option.substr(0, equals))))
        stanza[lower(option.substr(0, equals))] = option.substr(equals + 1);
    }
    line.erase(open, close - open + 1);
  }
  const auto parts = words(line);
  if (parts.size() < 4) return std::nullopt;
  stanza["types"] = parts[0];
  stanza["uris"] = parts[1];
  stanza["suites"] = parts[2];
  for (std::size_t i = 3; i < parts.size(); ++i) stanza["components"] += parts[i] + " ";
  return stanza;
}

std::vector<Stanza> parse(const SourcesFile& file) {
  if (file.deb822) return parse_deb822(file.text);
  std::vector<Stanza> stanzas;
  std::istringstream in(file.text);
  for (std::string line; std::getline(in, line);)
    if (auto stanza = parse_line(line)) stanzas.push_back(std::move(*stanza));
  return stanzas;
}

}  // namespace

std::vector<SourcesFile> machine_sources() {
  std::vector<fs::path> names = {"/etc/apt/sources.list"};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/etc/apt/sources.list.d", error))
    names.push_back(entry.path());
  std::sort(names.begin(), names.end());
  std::vector<SourcesFile> files;
  for (const fs::path& name : names) {
    if (name.extension() != ".list" && name.extension() != ".sources") continue;
    if (auto text = read_text(name)) files.push_back({name.extension() == ".sources", std::move(*text)});
  }
  return files;
}

std::string release_codename() {
  const auto text = read_text("/etc/os-release");
  constexpr std::string_view kKey = "VERSION_CODENAME=";
  std::istringstream in(text.value_or(""));
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(kKey)) return line.substr(kKey.size());
  return "";
}

std::string sources_for_other_suite(const std::vector<SourcesFile>& files, std::string_view suite,
                                    std::string_view other_suite) {
  std::string out;
  std::set<std::string> seen;
  for (const SourcesFile& file : files) {
    for (Stanza& stanza : parse(file)) {
      const bool serves = has_word(stanza["types"], "deb") && has_word(stanza["suites"], suite) &&
                          has_word(stanza["components"], "main") && lower(stanza["enabled"]) != "no" &&
                          lower(stanza["enabled"]) != "false";
      if (!serves || !seen.insert(stanza["uris"]).second) continue;
      out += "Types: deb\nURIs: " + stanza["uris"] + "\nSuites: " + std::string(other_suite) +
             "\nComponents: main\n";
      if (!stanza["signed-by"].empty()) out += "Signed-By: " + stanza["signed-by"] + "\n";
      if (!stanza["trusted"].empty()) out += "Trusted: " + stanza["trusted"] + "\n";
      out += "\n";
    }
  }
  return out;
}

Result<Apt> apt_with_sources(const std::string& sources, const fs::path& directory, const Apt* base) {
  for (const char* part : {"sources", "lists/partial", "cache/archives/partial"})
    if (auto made = make_directories(directory / part); !made) return fail(made.error());
  if (auto written = write_text(directory / "sources" / "vtax.sources", sources); !written)
    return fail(written.error());
  std::vector<std::string> options = {
      "Dir::Etc::sourcelist=/dev/null", "Dir::Etc::sourceparts=" + (directory / "sources").string(),
      "Dir::State::lists=" + (directory / "lists").string(), "Dir::Cache=" + (directory / "cache").string()};
  // What is installed here is of another release, and may be newer than what this archive has.
  if (base == nullptr) options.emplace_back("Dir::State::status=/dev/null");
  const Apt apt = base == nullptr ? Apt(std::move(options)) : Apt(std::move(options), *base);
  if (auto updated = apt.update(); !updated) return fail(updated.error());
  return apt;
}

Result<Apt> apt_with_backports(const fs::path& directory) {
  const std::string codename = release_codename();
  const std::string sources = sources_for_other_suite(machine_sources(), codename, codename + "-backports");
  if (codename.empty() || sources.empty())
    return fail({"cannot find the backports of this machine's release",
                 "apt has no source of '" + codename + "' itself", "", ExitCode::unavailable});
  const Apt own;
  return apt_with_sources(sources, directory, &own);
}

}  // namespace vtax::lab
