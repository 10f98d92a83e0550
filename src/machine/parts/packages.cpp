#include "machine/parts/packages.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include "core/sha256.h"
#include "core/subprocess.h"

namespace vtax::lab {
namespace {

using Wanted = std::function<bool(const std::string&)>;

Error not_carried(const std::string& what) {
  return {"cannot find the lab's packages", "apt knows no " + what,
          "run 'apt-get update' as root, then the same command again", ExitCode::unavailable};
}

// The named packages and what they depend on as far as it is wanted; sorted by name.
Result<std::vector<Package>> closure(const Apt& apt, const std::vector<std::string>& roots,
                                     const Wanted& wanted) {
  std::set<std::string> asked(roots.begin(), roots.end());
  std::vector<std::string> next = roots;
  std::vector<Package> packages;
  while (!next.empty()) {
    auto found = apt.show(next);
    if (!found) return fail(found.error());
    next.clear();
    for (Package& package : *found) {
      for (const std::string& name : package.dependencies)
        if (wanted(name) && asked.insert(name).second) next.push_back(name);
      packages.push_back(std::move(package));
    }
  }
  for (const std::string& root : roots)
    if (std::none_of(packages.begin(), packages.end(), [&](const Package& p) { return p.name == root; }))
      return fail(not_carried("package " + root));
  std::sort(packages.begin(), packages.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return packages;
}

bool is_library(const std::string& name) {
  return name.starts_with("lib") || name == "zlib1g";
}

Result<std::vector<Package>> resolve_kernel(const Apt& apt) {
  const auto names = apt.show({"linux-image-amd64", "linux-image-generic"});
  if (!names) return fail(names.error());
  for (const Package& meta : *names) {
    const auto image = std::find_if(meta.dependencies.begin(), meta.dependencies.end(),
                                    [](const auto& name) { return name.starts_with("linux-image-"); });
    if (image == meta.dependencies.end()) continue;
    // Ubuntu has the modules in packages of their own, Debian since 14 the image and the list of what is
    // built in, too; drivers for Xen and network cards are in either.
    const std::string version = image->substr(std::string_view("linux-image-").size());
    auto packages = apt.show({*image, "linux-base-" + version, "linux-binary-" + version,
                              "linux-modules-" + version, "linux-modules-extra-" + version});
    if (packages && packages->empty()) return fail(not_carried("package " + *image));
    return packages;
  }
  return fail(not_carried("linux-image-amd64 and no linux-image-generic"));
}

// The N of xen-hypervisor-4.N-amd64; -1 for other names.
int xen_minor(std::string_view name) {
  constexpr std::string_view kBefore = "xen-hypervisor-4.";
  if (!name.starts_with(kBefore) || !name.ends_with("-amd64")) return -1;
  name.remove_prefix(kBefore.size());
  int minor = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), minor);
  return error == std::errc() &&
                 std::string_view(end, static_cast<std::size_t>(name.data() + name.size() - end)) == "-amd64"
             ? minor
             : -1;
}

// "4.17"; "" where apt knows none.
Result<std::string> newest_xen(const Apt& apt) {
  const auto names = apt.names("xen-hypervisor-4.");
  if (!names) return fail(names.error());
  int newest = -1;
  for (const std::string& name : *names) newest = std::max(newest, xen_minor(name));
  return newest < 0 ? std::string() : "4." + std::to_string(newest);
}

Result<std::vector<Package>> resolve_xen(const Apt& apt) {
  const auto found = newest_xen(apt);
  if (!found) return fail(found.error());
  const std::string& version = *found;
  if (version.empty()) return fail(not_carried("xen-hypervisor-4.N-amd64"));
  return closure(apt, {"xen-hypervisor-" + version + "-amd64", "xen-utils-" + version},
                 [](const auto& name) { return is_library(name); });
}

std::set<std::string> installed_packages() {
  std::set<std::string> installed;
  const auto finished =
      run_command({.arguments = {"dpkg-query", "-W", "-f", "${db:Status-Abbrev}\t${Package}\n"},
                   .environment = {"LC_ALL=C"}});
  if (!finished) return installed;
  std::string_view rest = finished->out;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t tab = line.find('\t');
    if (line.starts_with("ii") && tab != std::string_view::npos) installed.emplace(line.substr(tab + 1));
  }
  return installed;
}

// Its libraries run on this machine, under its C library: what is installed stays out.
Result<std::vector<Package>> resolve_qemu(const Apt& apt) {
  const std::set<std::string> installed = installed_packages();
  return closure(
      apt, {"qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios"},
      [&](const auto& name) { return is_library(name) && name != "libc6" && !installed.contains(name); });
}

// Runs inside the lab, where nothing is installed: all libraries come with it.
Result<std::vector<Package>> resolve_vmm(const Apt& apt) {
  return closure(apt, {"qemu-system-x86", "qemu-system-data", "seabios"},
                 [](const auto& name) { return is_library(name); });
}

// Runs in Domain-0: likewise.
Result<std::vector<Package>> resolve_device_model(const Apt& apt) {
  return closure(apt, {"qemu-system-xen", "qemu-system-data", "seabios"},
                 [](const auto& name) { return is_library(name); });
}

// The N of cpp-N, the distribution's C compiler proper; empty for other names.
std::string gcc_version(const std::string& name) {
  const std::string number = name.starts_with("cpp-") ? name.substr(4) : "";
  return number.find_first_not_of("0123456789") == std::string::npos ? number : "";
}

// Runs inside the lab: with all libraries. What GCC itself brings of headers is in a package that would also
// bring every library that programs are linked with, so its dependencies stay out.
Result<std::vector<Package>> resolve_compiler(const Apt& apt) {
  auto packages =
      closure(apt, {"cpp", "libc6-dev", "linux-libc-dev", "libstb-dev"}, [](const std::string& name) {
        return name.starts_with("cpp-") || (is_library(name) && !name.ends_with("-dev"));
      });
  if (!packages) return packages;
  std::string version;
  for (const Package& package : *packages)
    if (version.empty()) version = gcc_version(package.name);
  if (version.empty()) return fail(not_carried("package cpp-N"));
  const auto headers = apt.show({"libgcc-" + version + "-dev"});
  if (!headers) return fail(headers.error());
  if (headers->empty()) return fail(not_carried("package libgcc-" + version + "-dev"));
  packages->insert(packages->end(), headers->begin(), headers->end());
  return packages;
}

// What packages need to be installed and removed, and programs do not need to run.
bool is_of_installing(const std::string& name) {
  static const std::set<std::string> tools = {"adduser",
                                              "base-files",
                                              "base-passwd",
                                              "debconf",
                                              "dpkg",
                                              "init-system-helpers",
                                              "install-info",
                                              "iproute2",
                                              "libdebconfclient0",
                                              "logrotate",
                                              "lsb-base",
                                              "media-types",
                                              "mime-support",
                                              "netbase",
                                              "passwd",
                                              "perl",
                                              "perl-base",
                                              "procps",
                                              "sensible-utils",
                                              "sysvinit-utils",
                                              "tar",
                                              "tzdata",
                                              "ucf",
                                              "ca-certificates"};
  return tools.contains(name) || name.starts_with("python3") || name.starts_with("libpam-") ||
         name.starts_with("systemd") || name.starts_with("libperl") || name.starts_with("perl-modules");
}

// The names of functions that were taken from what is in the packages: of the C library in a package of the
// archive, of others in one of an archive of their own, as far as this computer's apt has it among its
// sources.
void add_symbols(std::vector<Package>& packages, const Apt& apt) {
  const auto symbols_of = [](const std::string& name) {
    return name == "libc6" ? std::string("libc6-dbg") : name + "-dbgsym";
  };
  std::vector<std::string> names;
  for (const Package& package : packages) names.push_back(symbols_of(package.name));
  const auto symbols = apt.show(names);
  if (!symbols) return;
  const auto stripped = packages;
  for (const Package& package : stripped)
    for (const Package& apart : *symbols)
      if (apart.name == symbols_of(package.name) && apart.version == package.version)
        packages.push_back(apart);
}

Result<std::vector<Package>> resolve_programs(const std::string& names, const Apt& apt) {
  std::vector<std::string> roots;
  std::set<std::string> left_out, not_met;
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t space = std::min(names.find(' ', at), names.size());
    const std::string name = names.substr(at, space - at);
    if (name.ends_with('-'))
      left_out.insert(name.substr(0, name.size() - 1));
    else
      roots.push_back(name);
    at = space + 1;
  }
  not_met = left_out;
  auto packages = closure(apt, roots, [&](const std::string& name) {
    not_met.erase(name);
    return !is_of_installing(name) && !left_out.contains(name);
  });
  if (packages && !not_met.empty())
    return fail({"cannot find the packages of the workload program",
                 "nothing needs " + *not_met.begin() + ", which '" + *not_met.begin() + "-' leaves out",
                 "is the name right?", ExitCode::usage});
  if (!packages) {
    Error error = packages.error();
    error.what = "cannot find the packages of the workload program";
    error.next = "is the name right? if it is, run 'apt-get update' as root, then the same command again";
    return fail(std::move(error));
  }
  add_symbols(*packages, apt);
  return packages;
}

// Of two, the first that apt knows.
std::vector<const char*> names_of_head(PackageSet set) {
  switch (set) {
    case PackageSet::kernel:
      return {"linux-image-amd64", "linux-image-generic"};
    case PackageSet::qemu:
    case PackageSet::vmm:
      return {"qemu-system-x86"};
    case PackageSet::device_model:
      return {"qemu-system-xen"};
    case PackageSet::shell:
      return {"busybox-static"};
    case PackageSet::uml:
      return {"user-mode-linux"};
    case PackageSet::compiler:
      return {"cpp"};
    case PackageSet::xen:
      break;
  }
  return {};
}

}  // namespace

std::string readable_size(const std::vector<Package>& packages) {
  std::uint64_t bytes = 0;
  for (const Package& package : packages) bytes += package.size_bytes;
  return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

WantedSet wanted_set(PackageSet set) {
  const std::string name(name_of(set));
  return {name, name, [set](const Apt& apt) { return resolve(set, apt); }};
}

WantedSet wanted_programs(const std::string& names) {
  constexpr std::size_t kDigits = 12;
  Sha256 hash;
  hash.add(names);
  return {"program-" + hash.hex().substr(0, kDigits), names,
          [names](const Apt& apt) { return resolve_programs(names, apt); }};
}

std::string_view name_of(PackageSet set) {
  switch (set) {
    case PackageSet::kernel:
      return "kernel";
    case PackageSet::xen:
      return "xen";
    case PackageSet::qemu:
      return "qemu";
    case PackageSet::vmm:
      return "vmm";
    case PackageSet::device_model:
      return "device-model";
    case PackageSet::shell:
      return "shell";
    case PackageSet::uml:
      return "uml";
    case PackageSet::compiler:
      return "compiler";
  }
  return "";
}

Result<std::vector<Package>> resolve(PackageSet set, const Apt& apt) {
  switch (set) {
    case PackageSet::kernel:
      return resolve_kernel(apt);
    case PackageSet::xen:
      return resolve_xen(apt);
    case PackageSet::qemu:
      return resolve_qemu(apt);
    case PackageSet::vmm:
      return resolve_vmm(apt);
    case PackageSet::device_model:
      return resolve_device_model(apt);
    case PackageSet::shell:
      return closure(apt, {"busybox-static"}, [](const auto&) { return false; });
    case PackageSet::uml:
      return closure(apt, {"user-mode-linux"}, [](const auto&) { return false; });
    case PackageSet::compiler:
      return resolve_compiler(apt);
  }
  return {};
}

Result<std::map<PackageSet, Package>> heads_of(const std::vector<PackageSet>& sets, const Apt& apt) {
  std::vector<std::pair<PackageSet, std::string>> heads;
  for (const PackageSet set : sets) {
    if (set == PackageSet::xen) {
      const auto version = newest_xen(apt);
      if (!version) return fail(version.error());
      if (!version->empty()) heads.emplace_back(set, "xen-hypervisor-" + *version + "-amd64");
      continue;
    }
    for (const char* name : names_of_head(set)) heads.emplace_back(set, name);
  }
  std::vector<std::string> names;
  for (const auto& [set, name] : heads) names.push_back(name);
  const auto known = names.empty() ? Result<std::vector<Package>>(std::vector<Package>()) : apt.show(names);
  if (!known) return fail(known.error());
  std::map<PackageSet, Package> found;
  for (const auto& [set, name] : heads)
    for (const Package& package : *known)
      if (package.name == name) found.emplace(set, package);
  return found;
}

}  // namespace vtax::lab
