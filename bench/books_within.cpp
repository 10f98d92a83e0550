#include "bench/books_within.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/toolstack.h"
#include "bench/killed_trials.h"
#include "bench/must.h"
#include "core/kernel_file.h"
#include "machine/host/guest_parts.h"
#include "machine/host/host_readiness.h"
#include "machine/host/host_trial.h"
#include "machine/parts/lab_parts.h"
#include "machine/parts/program_tree.h"
#include "record/timeline_text.h"
#include "record/trial_check.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void go_on_one_cpu() {
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  if (sched_setaffinity(0, sizeof first, &first) != 0) quit("cannot go to CPU 0");
  for (int cpu = 1; cpu < get_nprocs_conf(); ++cpu)
    if (auto off = write_kernel_file(fmt::format("/sys/devices/system/cpu/cpu{}/online", cpu), "0"); !off)
      quit(off.error().text());
}

// A computer's root is a file system that can be left (pivot_root), as what a kernel boots from is not.
void leave_initramfs() {
  const char* root = "/root-of-a-computer";
  if (mkdir(root, 0755) != 0 || mount("/", root, nullptr, MS_BIND | MS_REC, nullptr) != 0 ||
      chdir(root) != 0 || mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || chroot(".") != 0 ||
      chdir("/") != 0)
    quit("cannot leave the initramfs");
}

// The lab's image for KVM has what a host's cache would have.
host::GuestParts guest_of_the_image() {
  host::GuestParts parts;
  parts.image = {agent::lab::kGuestKernel, agent::lab::kGuestInitrd};
  parts.emulator = {
      "/usr/bin/qemu-system-x86_64", {"-L", "/usr/share/vmm"}, {"PATH=/usr/bin:/bin", "HOME=/"}};
  return parts;
}

// A Domain-0 as a distribution has it: Xen's daemons run, and xl is in PATH. The guest's files are what
// prepare_guest() has made.
host::GuestParts parts_on_xen(const std::string& platform) {
  if (auto started = agent::start_toolstack(); !started) quit(started.error().text());
  std::error_code error;
  for (const char* folder : {"/usr/sbin", "/usr/bin"}) fs::create_directories(folder, error);
  for (const auto& entry : fs::directory_iterator("/usr/lib", error))
    if (entry.path().filename().string().starts_with("xen-"))
      fs::create_symlink(entry.path() / "bin/xl", "/usr/sbin/xl", error);
  fs::create_symlink("/init", "/usr/bin/true", error);
  host::GuestParts parts;
  const fs::path files = guest_files_of(platform);
  parts.image = {files / "kernel", files / "initrd"};
  parts.toolstack = must(host::find_xen_toolstack());
  return parts;
}

// A trial with readings within its window: whether its slices add up to its ledger, as a run file wants it.
json trial_with_course(Trial trial, const std::map<PlatformId, host::GuestParts>& guests) {
  if (auto done = host::run_host_trial(trial, guests, [](const std::string&) {}); !done)
    quit(done.error().text());
  const auto checked = check(trial);
  return {{"slices", trial.timeline.end_ns.size()},
          {"wrong", checked ? "" : checked.error().why},
          {"timeline", timeline_text(trial.timeline)},
          {"meter", json::parse(trial.provenance, nullptr, false)["meter"]}};
}

}  // namespace

std::string guest_files_of(const std::string& platform) {
  return "/lab/guest-" + platform;
}

int run_within_lab(const char* factors, bool kills) {
  leave_initramfs();
  go_on_one_cpu();
  mkdir("/dev/shm", 0755);
  if (fs::exists(kMoreModules))
    if (auto loaded = agent::load_modules(kMoreModules); !loaded) quit(loaded.error().text());
  Trial trial;
  trial.factors = json::parse(factors).get<std::map<std::string, std::string>>();
  const bool every_kill = !trial.factors.extract(kEveryKillWord).empty();
  const std::string platform = trial.factors.at("platform");
  std::map<PlatformId, host::GuestParts> guests;
  const PlatformId id = platform_named(platform).value_or(PlatformId::native);
  if (has_kvm(id)) guests[id] = guest_of_the_image();
  if (has_xen(id)) guests[id] = parts_on_xen(platform);
  if (kills) {
    const json course = trial_with_course(trial, guests);
    json said = {{"course", course}};
    // A fully virtualised guest takes minutes to boot.
    if (!has_device_model(id)) said["destroyed"] = destroy_in_trial(trial, guests);
    said["kills"] = kill_trials(trial, guests, every_kill);
    fmt::print("{}\n", said.dump());
    return 0;
  }
  std::optional<host::HostProgram> program;
  if (trial.factors.at("workload") == "program")
    program = host::HostProgram{must(lab::ProgramTree::own(kProgramFiles))};
  // What the doctor would say.
  if (has_xen(id))
    if (const auto check = host::examine_platform(id); check.state == lab::State::missing) quit(check.detail);
  // Readings within the window would be instructions of it here.
  if (auto done = host::run_host_trial(
          trial, guests, [](const std::string&) {}, false, program ? &*program : nullptr);
      !done)
    quit(done.error().text());
  json rows = json::array();
  for (const LedgerEntry& row : trial.ledger)
    if (row.kind == kCpuTimeKind)
      rows.push_back(
          {{"domain", row.domain}, {"layer", name(row.layer)}, {"part", name(row.part)}, {"ns", row.value}});
  fmt::print("{}\n", json{{"ledger", rows},
                          {"elapsed_ns", trial.elapsed_host_ns},
                          {"provenance", json::parse(trial.provenance, nullptr, false)}}
                         .dump());
  return 0;
}

}  // namespace vtax
