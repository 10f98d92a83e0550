#include "machine/lab/readiness.h"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "core/files.h"
#include "machine/parts/cache_limits.h"
#include "machine/parts/package_cache.h"
#include "machine/parts/qemu_finder.h"
#include "machine/parts/shared_libraries.h"

namespace vtax::lab {
namespace {

// Debian's kernel unpacked 400 MB, downloads 100 MB, images 230 MB, booted machines 410 MB, and room to work.
constexpr std::uint64_t kCacheBytes = 2'000'000'000;
// One lab machine has 1 GiB; QEMU's own data and translated code come on top.
constexpr std::uint64_t kMemoryBytes = 1'600'000'000;

Check failed(std::string name, const Error& error) {
  const std::string detail = error.why.empty() ? error.what : error.what + ": " + error.why;
  return {std::move(name), State::missing, detail, error.next};
}

Check check_space(const PackageCache& cache) {
  struct statvfs disk {};
  const std::string where = cache.directory().string();
  if (cache.workplace() != cache.directory())
    return {"cache", State::good,
            fmt::format("{} can only be read: images and machines are made anew", where), ""};
  if (::access(where.c_str(), W_OK) != 0)
    return {"cache", State::missing, "no permission to write to " + where,
            "set VTAX_CACHE to a directory of your own"};
  if (::statvfs(where.c_str(), &disk) != 0) return {"cache", State::good, where, ""};
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  const bool filled = cache.find(PackageSet::kernel) && cache.find(PackageSet::xen) &&
                      cache.find(PackageSet::vmm) && cache.find(PackageSet::device_model);
  const auto gigabytes = [](std::uint64_t bytes) { return static_cast<double>(bytes) / 1e9; };
  const std::string detail =
      fmt::format("{} holds {:.1f} GB ({}); {:.1f} GB free", where, gigabytes(bytes_below(cache.directory())),
                  cache_limits_text(), gigabytes(free));
  if (free >= kCacheBytes || filled) return {"cache", State::good, detail, ""};
  return {"cache", State::missing, detail + ", 2.0 GB needed",
          "free some space, or set VTAX_CACHE to another disk"};
}

Check check_memory() {
  struct sysinfo info {};
  ::sysinfo(&info);
  const std::uint64_t total = std::uint64_t{info.totalram} * info.mem_unit;
  const std::string detail = fmt::format("{:.1f} GB", static_cast<double>(total) / 1e9);
  if (total >= kMemoryBytes) return {"memory", State::good, detail, ""};
  return {"memory", State::missing, detail + ", 1.6 GB needed", "use a machine with more memory"};
}

Check check_program() {
  const auto self = read_file("/proc/self/exe");
  if (self && is_static_program(*self)) return {"vtax", State::good, "static, can be the lab's PID 1", ""};
  return {"vtax", State::missing, "not a static program, so it cannot be the lab's PID 1",
          "cmake --preset release && cmake --build --preset release"};
}

// "6.1.192-2": of the package that gives the set its name.
std::string version_in(const std::vector<Package>& packages, std::string_view prefix) {
  for (const Package& package : packages)
    if (package.name.starts_with(prefix)) return package.name + " " + package.version;
  return packages.empty() ? "" : packages.front().name;
}

using Heads = Result<std::map<PackageSet, Package>>;

// What could be fetched of what the cache lacks.
Heads ask_apt(const PackageCache& cache, std::vector<PackageSet> sets) {
  std::erase_if(sets, [&](PackageSet set) { return cache.find(set).has_value(); });
  return sets.empty() ? Heads(std::map<PackageSet, Package>()) : heads_of(sets, Apt());
}

Check check_packages(const PackageCache& cache, const Heads& heads, PackageSet set, std::string name,
                     std::string_view prefix) {
  if (const auto found = cache.find(set))
    return {std::move(name), State::good, version_in(found->packages, prefix), ""};
  if (!heads) return failed(std::move(name), heads.error());
  const auto head = heads->find(set);
  if (head == heads->end())
    return {std::move(name), State::missing, fmt::format("apt knows no {}...", prefix),
            "run 'apt-get update' as root, then the same command again"};
  return {std::move(name), State::fetchable, head->second.name + " " + head->second.version,
          "vtax lab fetch"};
}

Check check_qemu(const PackageCache& cache, const Heads& heads) {
  const auto qemu = find_qemu(cache);
  if (qemu) return {"QEMU", State::good, qemu->version.text() + ", " + qemu->binary.string(), ""};
  Check check = failed("QEMU", qemu.error());
  // With an apt that knows one, the first run gets it; an own choice that does not serve is the user's to
  // mend.
  if (std::getenv("VTAX_QEMU") == nullptr && heads && heads->contains(PackageSet::qemu)) {
    check.state = State::fetchable;
    check.mend = "vtax lab fetch";
  }
  return check;
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::good:
      return "good";
    case State::fetchable:
      return "fetchable";
    case State::missing:
      return "missing";
  }
  return "";
}

std::vector<Check> examine_machine() {
  std::vector<Check> checks = {check_program(), check_memory()};
  const auto cache = PackageCache::open();
  if (!cache) {
    checks.push_back(failed("cache", cache.error()));
    return checks;
  }
  checks.push_back(check_space(*cache));
  const auto heads = ask_apt(*cache, {PackageSet::kernel, PackageSet::xen, PackageSet::vmm,
                                      PackageSet::device_model, PackageSet::compiler, PackageSet::qemu});
  checks.push_back(check_qemu(*cache, heads));
  const auto add = [&](PackageSet set, std::string name, std::string_view prefix,
                       bool (*needed_by)(PlatformId)) {
    checks.push_back(check_packages(*cache, heads, set, std::move(name), prefix));
    checks.back().needed_by = needed_by;
  };
  add(PackageSet::kernel, "Linux", "linux-image-", nullptr);
  add(PackageSet::xen, "Xen", "xen-hypervisor-", has_xen);
  add(PackageSet::vmm, "QEMU for KVM", "qemu-system-x86", has_kvm);
  add(PackageSet::device_model, "QEMU for Xen", "qemu-system-xen", has_device_model);
  // Only studies with the workload `compile` look for it.
  add(PackageSet::compiler, "compiler", "cpp-", [](PlatformId) { return false; });
  return checks;
}

bool ready(const std::vector<Check>& checks, PlatformId kind) {
  return std::none_of(checks.begin(), checks.end(), [&](const Check& check) {
    return check.state == State::missing && (check.needed_by == nullptr || check.needed_by(kind));
  });
}

}  // namespace vtax::lab
