#include "machine/parts/apt.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/sha256.h"
#include "core/subprocess.h"

namespace vtax::lab {
namespace {

constexpr const char* kDownloadWhat = "cannot download the lab's packages";
constexpr auto kIndexTimeLimit = std::chrono::minutes(5);
constexpr auto kDownloadTimeLimit = std::chrono::minutes(30);
constexpr auto kUnpackTimeLimit = std::chrono::minutes(10);

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "libc6 (>= 2.34), python3:any | python3" gives libc6, python3.
void append_dependencies(std::string_view list, std::vector<std::string>& out) {
  while (!list.empty()) {
    std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    one = trim(one);
    one = one.substr(0, one.find_first_of(" |:("));
    if (!one.empty()) out.emplace_back(one);
  }
}

void read_field(std::string_view key, std::string_view value, Package& package) {
  if (key == "Package") package.name = value;
  if (key == "Version") package.version = value;
  if (key == "SHA256") package.sha256 = value;
  if (key == "Size") std::from_chars(value.data(), value.data() + value.size(), package.size_bytes);
  if (key == "Depends" || key == "Pre-Depends") append_dependencies(value, package.dependencies);
}

Error apt_missing(Error error) {
  error.next = "the lab takes its packages through apt, so it needs Debian or Ubuntu";
  error.code = ExitCode::unavailable;
  return error;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// apt-secure(8): a missing key, a signature that does not fit, or none.
bool is_of_signatures(const std::string& complaint) {
  for (const char* part : {"authenticat", "not signed", "NO_PUBKEY", "signatures", "Signed-By", "GPG error"})
    if (contains(complaint, part)) return true;
  return false;
}

// What to do about apt's complaint.
std::string advice(const std::string& complaint) {
  if (contains(complaint, "No space left") || contains(complaint, "enough free space"))
    return "free some space and run the same command again";
  if (contains(complaint, "404") || contains(complaint, "Hash Sum mismatch") ||
      contains(complaint, "Unable to locate") || contains(complaint, "was not found"))
    return "the package lists are older than the archive: run 'apt-get update' as root, then the same "
           "command again";
  if (is_of_signatures(complaint))
    return "the archive is not signed by a key that apt knows: mend its key (Signed-By in apt's sources), "
           "run "
           "'apt-get update' as root, then the same command again";
  return "check the network connection and run the same command again";
}

Error apt_failed(const std::string& what, const Finished& finished) {
  if (finished.timed_out)
    return {what, "apt took too long", "check the network connection and run the same command again",
            ExitCode::unavailable};
  const bool full = contains(finished.err, "No space left");
  return {what, last_lines(finished.err, 3), advice(finished.err),
          full ? ExitCode::io : ExitCode::unavailable};
}

}  // namespace

std::vector<Package> parse_packages(std::string_view answer) {
  std::vector<Package> packages;
  Package current;
  const auto finish = [&] {
    if (!current.name.empty() && current.sha256.size() == 64) packages.push_back(std::move(current));
    current = {};
  };
  while (!answer.empty()) {
    const std::string_view line = answer.substr(0, answer.find('\n'));
    answer.remove_prefix(std::min(answer.size(), line.size() + 1));
    if (line.empty()) finish();
    const std::size_t colon = line.find(": ");
    if (line.starts_with(' ') || colon == std::string_view::npos) continue;
    read_field(line.substr(0, colon), trim(line.substr(colon + 2)), current);
  }
  finish();
  return packages;
}

std::vector<std::string> Apt::command(std::string program, std::vector<std::string> arguments) const {
  // As root apt would warn that its user _apt cannot write into the cache.
  std::vector<std::string> all = {std::move(program), "-q", "-o", "APT::Sandbox::User=root"};
  for (const std::string& option : options_) all.insert(all.end(), {"-o", option});
  all.insert(all.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  return all;
}

Result<std::string> Apt::answer(const std::vector<std::string>& names, const char* versions) const {
  std::vector<std::string> arguments = {"show", versions};
  arguments.insert(arguments.end(), names.begin(), names.end());
  auto finished = run_command({.arguments = command("apt-cache", arguments),
                               .environment = {"LC_ALL=C"},
                               .time_limit = kIndexTimeLimit});
  if (!finished) return fail(apt_missing(finished.error()));
  // It exits with an error when one name is unknown, and answers for the others.
  return std::move(finished->out);
}

Result<std::vector<Package>> Apt::show(const std::vector<std::string>& names) const {
  const auto text = answer(names, "--no-all-versions");
  if (!text) return fail(text.error());
  std::vector<Package> packages = parse_packages(*text);
  const auto is_known = [&](const std::string& name) {
    return std::any_of(packages.begin(), packages.end(), [&](const Package& p) { return p.name == name; });
  };
  // What is installed here from elsewhere has no archive to come from; the newest that has one stands for it.
  std::vector<std::string> foreign;
  for (const std::string& name : names)
    if (!is_known(name) && contains("\n" + *text, "\nPackage: " + name + "\n")) foreign.push_back(name);
  if (!foreign.empty()) {
    const auto all = answer(foreign, "--all-versions");
    if (!all) return fail(all.error());
    for (const Package& package : parse_packages(*all))
      if (!is_known(package.name)) packages.push_back(package);
  }
  if (base_ == nullptr) return packages;
  std::vector<std::string> unknown;
  for (const std::string& name : names)
    if (!is_known(name)) unknown.push_back(name);
  if (unknown.empty()) return packages;
  const auto others = base_->show(unknown);
  if (!others) return others;
  packages.insert(packages.end(), others->begin(), others->end());
  return packages;
}

Result<std::vector<std::string>> Apt::names(const std::string& prefix) const {
  const auto finished = run_command({.arguments = command("apt-cache", {"pkgnames", prefix}),
                                     .environment = {"LC_ALL=C"},
                                     .time_limit = kIndexTimeLimit});
  if (!finished) return fail(apt_missing(finished.error()));
  std::vector<std::string> names;
  append_dependencies(
      [&] {
        std::string text = finished->out;
        std::replace(text.begin(), text.end(), '\n', ',');
        return text;
      }(),
      names);
  std::sort(names.begin(), names.end());
  return names;
}

Result<> Apt::download_here(const std::vector<Package>& packages,
                            const std::filesystem::path& directory) const {
  std::vector<std::string> arguments = {"download"};
  for (const Package& package : packages) arguments.push_back(package.name + "=" + package.version);
  const auto finished = run_command({.arguments = command("apt-get", arguments),
                                     .environment = {"LC_ALL=C"},
                                     .directory = directory,
                                     .time_limit = kDownloadTimeLimit});
  if (!finished) return fail(apt_missing(finished.error()));
  if (!finished->ok()) return fail(apt_failed(kDownloadWhat, *finished));
  return {};
}

Result<std::vector<std::filesystem::path>> Apt::download(const std::vector<Package>& packages,
                                                         const std::filesystem::path& directory) const {
  std::vector<Package> here = packages;
  if (base_ != nullptr) {
    std::vector<std::string> names;
    for (const Package& package : packages) names.push_back(package.name);
    const auto known = Apt(options_).show(names);
    if (!known) return fail(known.error());
    const auto is_known = [&](const Package& package) {
      return std::any_of(known->begin(), known->end(),
                         [&](const Package& k) { return k.sha256 == package.sha256; });
    };
    const auto others = std::stable_partition(here.begin(), here.end(), is_known);
    if (others != here.end())
      if (auto done = base_->download({others, here.end()}, directory); !done) return done;
    here.erase(others, here.end());
  }
  if (!here.empty())
    if (auto done = download_here(here, directory); !done) return fail(done.error());

  std::vector<std::filesystem::path> files;
  for (const Package& package : packages) {
    std::error_code ignored;
    std::filesystem::path found;
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored))
      if (entry.path().filename().string().starts_with(package.name + "_")) found = entry.path();
    if (found.empty())
      return fail({kDownloadWhat, "apt left no file of " + package.name, "", ExitCode::unavailable});
    const auto hash = sha256_of_file(found);
    if (!hash) return fail(hash.error());
    if (*hash != package.sha256)
      return fail(
          {kDownloadWhat,
           package.name + " has the SHA-256 " + *hash + ", the archive's index says " + package.sha256,
           "run the same command again; if that does not help, suspect the disk or a proxy", ExitCode::io});
    files.push_back(found);
  }
  return files;
}

Result<> Apt::update() const {
  const auto finished = run_command({.arguments = command("apt-get", {"update"}),
                                     .environment = {"LC_ALL=C"},
                                     .time_limit = kIndexTimeLimit});
  if (!finished) return fail(apt_missing(finished.error()));
  // It exits without an error when the archive cannot be reached and says so.
  if (!finished->ok() || contains(finished->err, "Failed to fetch"))
    return fail(apt_failed("cannot fetch the package lists", *finished));
  return {};
}

Result<> unpack(const std::filesystem::path& deb, const std::filesystem::path& directory) {
  const std::string what = "cannot unpack " + deb.filename().string();
  const auto finished = run_command({.arguments = {"dpkg-deb", "-x", deb.string(), directory.string()},
                                     .environment = {"LC_ALL=C"},
                                     .time_limit = kUnpackTimeLimit});
  if (!finished) return fail(apt_missing(finished.error()));
  if (!finished->ok()) return fail({what, last_lines(finished->err, 2), advice(finished->err), ExitCode::io});
  return {};
}

}  // namespace vtax::lab
