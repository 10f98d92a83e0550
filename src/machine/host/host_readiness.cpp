#include "machine/host/host_readiness.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/kernel_file.h"
#include "machine/host/program_root.h"
#include "machine/host/sandbox.h"
#include "machine/host/xen_toolstack.h"
#include "machine/parts/qemu_finder.h"
#include "meter/xen_times.h"
#include "platform/tap.h"
#include "platform/xen_guest.h"
#include "platform/xenstore.h"

namespace vtax::host {
namespace {

using lab::State;

// What stands in the way of namespaces, in the order in which distributions put it there.
std::string mend_of_namespaces() {
  const auto is = [](const char* file, const char* value) {
    const auto text = read_kernel_file(file);
    return text && *text == value;
  };
  if (is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
    return "as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0 (or run vtax as root)";
  if (is("/proc/sys/kernel/unprivileged_userns_clone", "0"))
    return "as root: sysctl kernel.unprivileged_userns_clone=1 (or run vtax as root)";
  if (is("/proc/sys/user/max_user_namespaces", "0"))
    return "as root: sysctl user.max_user_namespaces=10000 (or run vtax as root)";
  return "run vtax as root, or outside the container in which it is";
}

std::string one_line(const Error& error) {
  return error.why.empty() ? error.what : error.what + ": " + error.why;
}

PlatformCheck check_namespaces(PlatformId platform) {
  const auto made = run_in_sandbox([](const TellStep&) { return nlohmann::json::object(); },
                                   [](const std::string&) {}, std::chrono::seconds(10));
  if (!made) return {platform, State::missing, one_line(made.error()), mend_of_namespaces()};
  return {platform, State::good,
          geteuid() == 0 ? "namespaces, as root" : "namespaces, without root, in a user namespace", ""};
}

PlatformCheck check_guest(PlatformId platform) {
  PlatformCheck check = check_namespaces(platform);
  if (check.state == State::missing) return check;
  const auto tap = run_in_sandbox(
      [](const TellStep&) -> Result<nlohmann::json> {
        if (Result<> made = make_tap("vtaxcheck0"); !made) return fail(made.error());
        return nlohmann::json::object();
      },
      [](const std::string&) {}, std::chrono::seconds(10));
  if (!tap) return {platform, State::missing, one_line(tap.error()), tap.error().next};
  const auto cache = lab::PackageCache::open();
  if (!cache) return {platform, State::missing, one_line(cache.error()), cache.error().next};
  const auto set = platform == PlatformId::uml ? lab::PackageSet::uml : lab::PackageSet::kernel;
  const bool here = cache->find(set) && (platform == PlatformId::uml || lab::find_qemu(*cache));
  if (!here)
    return {platform, State::fetchable, check.detail + "; its packages are not in the cache yet",
            "the first run fetches them"};
  return {platform, State::good, check.detail + ", a tap", ""};
}

// Of files alone: a device that is opened may load modules and take memory, and the user has not asked.
std::string why_no_device(const char* device, const char* module) {
  if (access(device, F_OK) != 0)
    return fmt::format(
        "there is no {} (the kernel module {} is not loaded, or the CPU has no virtualisation)", device,
        module);
  if (access(device, R_OK | W_OK) != 0) return fmt::format("this user may not open {}", device);
  return "";
}

PlatformCheck check_kvm(PlatformId platform) {
  if (std::getenv(kNoKvmVariable) != nullptr)
    return {platform, State::missing, fmt::format("{} is set: /dev/kvm is not opened", kNoKvmVariable),
            fmt::format("unset {}, or run it in the lab: --machine lab", kNoKvmVariable)};
  const std::string kvm = why_no_device("/dev/kvm", "kvm-intel or kvm-amd");
  const std::string vhost = platform == PlatformId::kvm ? why_no_device("/dev/vhost-net", "vhost-net") : "";
  if (const std::string& why = kvm.empty() ? vhost : kvm; !why.empty())
    return {platform, State::missing, why,
            access(kvm.empty() ? "/dev/vhost-net" : "/dev/kvm", F_OK) == 0
                ? "run vtax as root, or as a user of the group that owns it; or in the lab: --machine lab"
            : kvm.empty() ? "as root: modprobe vhost-net; or platform kvm-qemu, which does without"
                          : "run it in the lab, which needs none: --machine lab"};
  PlatformCheck check = check_guest(platform);
  if (check.state != State::missing) check.detail += "; /dev/kvm is opened when a run names this platform";
  return check;
}

Error lacks(std::string why, std::string next) {
  return {"", std::move(why), std::move(next), ExitCode::unavailable};
}

// What Domain-0's kernel has to offer, of files alone.
Result<> examine_domain_0() {
  const char* const lab = "run it in the lab: --machine lab";
  const auto capabilities = read_kernel_file("/proc/xen/capabilities");
  if (!capabilities && !read_kernel_file("/sys/hypervisor/type").value_or("").starts_with("xen"))
    return fail(lacks("this computer's kernel does not run on Xen", lab));
  if (!capabilities)
    return fail(lacks("/proc/xen is not mounted, so that nothing says whether this is a Domain-0",
                      "as root: mount -t xenfs xenfs /proc/xen (in a guest of Xen: --machine lab)"));
  if (capabilities->find("control_d") == std::string::npos)
    return fail(lacks("this is a guest of Xen, and no Domain-0", lab));
  if (geteuid() != 0) return fail(lacks("Xen's domains are root's to make", "run vtax as root"));
  for (const auto& [device, module] :
       {std::pair{"/dev/xen/privcmd", "xen-privcmd"}, {"/dev/xen/xenbus", "xenfs"}})
    if (access(device, R_OK | W_OK) != 0)
      return fail(lacks(fmt::format("there is no {}", device), fmt::format("as root: modprobe {}", module)));
  if (access("/sys/bus/xen-backend/drivers/vif", F_OK) != 0)
    return fail(lacks("the kernel has no network backend for Xen's guests", "as root: modprobe xen-netback"));
  return {};
}

// `needs_virtualisation`: the guests need the CPU's virtualisation.
Result<XenFacts> examine_xen(bool needs_virtualisation) {
  const auto toolstack = find_xen_toolstack();
  if (!toolstack) return fail(toolstack.error());
  auto facts = ask_xen(*toolstack);
  if (!facts) return facts;
  if (facts->free_mib < static_cast<std::uint64_t>(kXenGuestMemoryMib + kXenOverheadMib))
    return fail(lacks(fmt::format("Xen has {} MiB of free memory, and a guest takes {}", facts->free_mib,
                                  kXenGuestMemoryMib + kXenOverheadMib),
                      "end a guest, or take memory from Domain-0: `xl mem-set 0 SIZEm`"));
  if (needs_virtualisation && !facts->has_hvm)
    return fail(lacks("Xen says that this CPU's virtualisation cannot be used (`xl info`, virt_caps)",
                      "switch it on in the firmware, or take xen-pv"));
  if (const auto times = meter::read_xen_times(std::vector{0}); !times) return fail(times.error());
  return facts;
}

// Domains that bear vtax's names: of a run at this moment, or left by one whose every process was killed.
std::string domains_of_vtax() {
  auto store = Xenstore::open();
  const auto numbers = store ? store->list("/local/domain") : Result<std::vector<std::string>>();
  std::string all;
  for (const std::string& number : numbers.value_or(std::vector<std::string>()))
    if (const auto name = store->read("/local/domain/" + number + "/name");
        name && name->starts_with("vtax-"))
      all += " " + *name;
  return all.empty() ? "" : "; there are" + all + ": if no vtax runs, `xl destroy NAME`";
}

PlatformCheck check_xen(PlatformId platform) {
  const auto missing_of = [&](const Error& error) {
    return PlatformCheck{platform, State::missing, error.what.empty() ? error.why : one_line(error),
                         error.next};
  };
  if (Result<> domain_0 = examine_domain_0(); !domain_0) return missing_of(domain_0.error());
  const auto facts = examine_xen(virtualises(platform));
  if (!facts) return missing_of(facts.error());
  PlatformCheck check = check_namespaces(platform);
  if (check.state == State::missing) return check;
  check.detail += fmt::format("; Domain-0 of Xen {}, which has {} MiB free", facts->version, facts->free_mib);
  check.detail += domains_of_vtax();
  const auto cache = lab::PackageCache::open();
  if (!cache) return {platform, State::missing, one_line(cache.error()), cache.error().next};
  if (!cache->find(lab::PackageSet::kernel))
    return {platform, State::fetchable, check.detail + "; its packages are not in the cache yet",
            "the first run fetches them"};
  return check;
}

}  // namespace

Result<> examine_programs() {
  const auto confined = examine_program_confinement();
  if (confined) return {};
  Error error = confined.error();
  error.next = mend_of_namespaces();
  return fail(std::move(error));
}

bool has_guest(PlatformId platform) {
  return facts_of(platform).runner != GuestRunner::none;
}

PlatformCheck examine_platform(PlatformId platform) {
  switch (facts_of(platform).runner) {
    case GuestRunner::none:
      return check_namespaces(platform);
    case GuestRunner::xen:
      return check_xen(platform);
    case GuestRunner::kvm:
      return check_kvm(platform);
    case GuestRunner::program:
      break;
  }
  return check_guest(platform);
}

std::vector<PlatformCheck> examine_platforms() {
  std::vector<PlatformCheck> all;
  const auto programs = examine_programs();
  for (const PlatformFacts& platform : kPlatformTable) {
    PlatformCheck check = examine_platform(platform.id);
    // Systems that are processes of this computer, in which a program of the user's may run.
    if (platform.runner == GuestRunner::none && check.state != State::missing)
      check.detail += programs ? "; programs of one's own"
                               : fmt::format("; no programs of one's own: {} ({})",
                                             one_line(programs.error()), programs.error().next);
    all.push_back(std::move(check));
  }
  return all;
}

}  // namespace vtax::host
