#include "machine/parts/qemu_finder.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/subprocess.h"
#include "machine/parts/apt_sources.h"
#include "machine/parts/shared_libraries.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "qemu-system-x86_64";
constexpr const char* kGetOne = "run 'vtax lab fetch', which puts one into vtax's cache and installs nothing";

std::string needed() {
  return "the lab needs QEMU " + kOldestQemu.text() + " or later with TCG plugins";
}

Error unsuitable(const fs::path& binary, std::string why) {
  return {"cannot use " + binary.string(), std::move(why), kGetOne, ExitCode::unavailable};
}

// An unpacked package is a tree of its own: firmware and libraries lie beside the program.
void add_tree(Qemu& qemu) {
  const fs::path root = qemu.binary.parent_path().parent_path().parent_path();
  if (qemu.binary.parent_path() != root / "usr" / "bin" || root == "/") return;
  std::error_code error;
  for (const char* share : {"qemu", "seabios"})
    if (fs::is_directory(root / "usr/share" / share, error))
      qemu.arguments.insert(qemu.arguments.end(), {"-L", (root / "usr/share" / share).string()});
  std::string libraries;
  for (const std::string& directory : library_directories())
    if (directory.ends_with("x86_64-linux-gnu") && fs::is_directory(root / directory, error))
      libraries += (libraries.empty() ? "" : ":") + (root / directory).string();
  if (!libraries.empty()) qemu.environment.push_back("LD_LIBRARY_PATH=" + libraries);
  // Ubuntu's TCG itself is a module, and is looked for where the package would be installed.
  if (const fs::path modules = root / "usr/lib/x86_64-linux-gnu/qemu"; fs::is_directory(modules, error))
    qemu.environment.push_back("QEMU_MODULE_DIR=" + modules.string());
}

std::optional<fs::path> installed_qemu() {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin" : path;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    std::error_code error;
    if (const fs::path file = fs::path(folder) / kProgram; fs::is_regular_file(file, error)) return file;
  }
  return std::nullopt;
}

Result<Qemu> examine_cached(const FetchedSet& set) {
  auto qemu = examine_qemu(set.root / "usr" / "bin" / kProgram);
  if (!qemu) return qemu;
  qemu->package_folder = set.root;
  qemu->in_use = set.in_use;
  return qemu;
}

}  // namespace

std::optional<QemuVersion> parse_qemu_version(std::string_view text) {
  constexpr std::string_view kBanner = "QEMU emulator version ";
  if (const std::size_t at = text.find(kBanner); at != std::string_view::npos)
    text.remove_prefix(at + kBanner.size());
  else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos)
    text.remove_prefix(colon + 1);
  QemuVersion version;
  const char* end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  if (std::from_chars(major.ptr + 1, end, version.minor).ec != std::errc()) return std::nullopt;
  return version;
}

Result<Qemu> examine_qemu(const fs::path& binary) {
  Qemu qemu{binary};
  add_tree(qemu);
  const auto finished =
      run_command({.arguments = {binary.string(), "-help"}, .environment = qemu.environment});
  if (!finished) return fail(unsuitable(binary, finished.error().why));
  if (!finished->ok()) return fail(unsuitable(binary, "it does not start: " + last_lines(finished->err, 1)));
  qemu.banner = finished->out.substr(0, finished->out.find('\n'));
  const auto version = parse_qemu_version(qemu.banner);
  if (!version) return fail(unsuitable(binary, "it does not say its version as QEMU does"));
  qemu.version = *version;
  if (qemu.version < kOldestQemu)
    return fail(unsuitable(binary, "it is QEMU " + qemu.version.text() + ", and " + needed()));
  if (finished->out.find("\n-plugin ") == std::string::npos)
    return fail(unsuitable(binary, "it was built without TCG plugins, and " + needed()));
  return qemu;
}

Result<Qemu> find_qemu(const PackageCache& cache) {
  if (const char* own = std::getenv("VTAX_QEMU"); own != nullptr && *own != '\0') {
    auto qemu = examine_qemu(fs::absolute(own));
    if (!qemu) qemu.error().next = "set VTAX_QEMU to another QEMU, or unset it";
    return qemu;
  }
  Error error{"cannot find a QEMU for the lab", "there is no " + std::string(kProgram) + ", and " + needed(),
              kGetOne, ExitCode::unavailable};
  if (const auto installed = installed_qemu()) {
    auto qemu = examine_qemu(*installed);
    if (qemu) return qemu;
    error = qemu.error();
  }
  if (const auto set = cache.find(PackageSet::qemu)) {
    const auto sound = set->check();
    if (sound) return examine_cached(*set);
    error = sound.error();
    error.code = ExitCode::unavailable;
  }
  return fail(std::move(error));
}

Result<Qemu> fetch_qemu(PackageCache& cache, const TellStep& progress, bool refresh) {
  auto found = find_qemu(cache);
  const bool in_cache = found && !found->package_folder.empty();
  if (std::getenv("VTAX_QEMU") != nullptr || (found && !(refresh && in_cache))) return found;
  if (found) found->in_use.reset();  // so that a newer one can take its place
  progress("asking apt for a QEMU");
  const auto here = Apt().show({"qemu-system-x86"});
  if (!here) return fail(here.error());
  Apt apt;
  if (here->empty() || parse_qemu_version(here->front().version).value_or(QemuVersion{}) < kOldestQemu) {
    progress("asking for the package lists of this release's backports");
    auto backports = apt_with_backports(cache.directory() / "backports");
    if (!backports) return fail(backports.error());
    apt = std::move(*backports);
  }
  // What is in the cache did not start if it was not found: then it is not to be trusted either.
  const auto set = cache.fetch(PackageSet::qemu, apt, progress, Fetch::newer);
  if (!set) return fail(set.error());
  return examine_cached(*set);
}

}  // namespace vtax::lab
