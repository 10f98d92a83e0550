#include "agent/toolstack.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "agent/block_script.h"
#include "agent/lab_layout.h"
#include "agent/program.h"
#include "agent/vif_script.h"
#include "core/files.h"
#include "core/subprocess.h"
#include "platform/xenstore.h"

namespace vtax::agent {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

const std::string vif_script_path = std::string("/etc/xen/scripts/") + kVifScript,
                  block_script_path = std::string("/etc/xen/scripts/") + kBlockScript;

Result<std::string> programs_directory() {
  std::error_code error;
  for (fs::directory_iterator entry("/usr/lib", error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().starts_with("xen-")) return (entry->path() / "bin").string();
  }
  return fail(Error{"find Xen's programs", "there is no /usr/lib/xen-*", "", ExitCode::unavailable});
}

Result<> make_directories() {
  std::error_code error;
  for (const char* path : {"/run/xen", "/run/xenstored", "/run/lock", "/var/lib/xen", "/var/lib/xenstored",
                           "/var/log/xen/console", "/etc/xen/scripts"}) {
    fs::create_directories(path, error);
    if (error) return fail(system_error(fmt::format("cannot make {}", path), error.value()));
  }
  for (const auto& [link, target] : {std::pair<std::string, std::string>{"/var/run", "/run"},
                                     {"/var/lock", "/run/lock"},
                                     {vif_script_path, "/init"},
                                     {block_script_path, "/init"}}) {
    fs::create_symlink(target, link, error);
    if (error) return fail(system_error(fmt::format("cannot make {}", link), error.value()));
  }
  return {};
}

Result<> write_file(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return fail(system_error(fmt::format("cannot write {}", path), errno));
  return {};
}

// xenstored says nothing when it is ready.
Result<> wait_for_xenstore() {
  Result<std::string> answer;
  for (int attempt = 0; attempt < 300; ++attempt) {
    if (fs::exists("/run/xenstored/socket")) {
      Result<Xenstore> store = Xenstore::open();
      if (!store) return fail(store.error());
      answer = store->read("/tool");
      if (answer) return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return fail(Error{"start xenstored", "it does not answer", "", ExitCode::trial_failed});
}

}  // namespace

Result<> start_toolstack() {
  if (mkdir("/dev/pts", 0755) != 0 && errno != EEXIST)
    return fail(system_error("cannot make /dev/pts", errno));
  if (mount("devpts", "/dev/pts", "devpts", 0, nullptr) != 0)
    return fail(system_error("cannot mount devpts", errno));
  if (mount("xenfs", "/proc/xen", "xenfs", 0, nullptr) != 0)
    return fail(system_error("cannot mount xenfs", errno));
  if (Result<> made = make_directories(); !made) return made;
  if (Result<> written = write_file("/etc/xen/xl.conf", "autoballoon=\"off\"\n"); !written) {
    return written;
  }
  const auto programs = programs_directory();
  if (!programs) return fail(programs.error());
  if (Result<> ran = run_program({*programs + "/xenstored"}, seconds(20)); !ran) return ran;
  if (Result<> ready = wait_for_xenstore(); !ready) return ready;
  if (Result<> ran = run_program({*programs + "/xen-init-dom0"}, seconds(20)); !ran) return ran;
  return run_program({*programs + "/xenconsoled", "--log=guest"}, seconds(20));
}

namespace {

// A PC without screen and keyboard. Without Xen's platform device a guest finds no paravirtual devices, and
// keeps the emulated ones.
std::string emulated_machine(const NewGuest& guest) {
  return fmt::format(
      "vga=\"none\"\nnographic=1\nvnc=0\nsdl=0\nusb=0\nserial=\"file:/run/xen/{}.serial\"\n"
      "xen_platform_pci={}\ndevice_model_args=[\"-global\",\"e1000.romfile=\"]\n",
      guest.name, guest.type == "hvm" ? 0 : 1);
}

Result<> create_from(const std::string& config) {
  constexpr char kPath[] = "/run/xen/guest.cfg";
  if (Result<> written = write_file(kPath, config); !written) return written;
  const auto programs = programs_directory();
  if (!programs) return fail(programs.error());
  return run_program({*programs + "/xl", "create", "-e", kPath}, seconds(120));
}

}  // namespace

Result<> create_guest(const NewGuest& guest) {
  // Of a list each virtual CPU has its entry.
  const std::string cpus = guest.cpus.size() == 1 ? fmt::format("\"{}\"", guest.cpus.front())
                                                  : fmt::format("[\"{}\"]", fmt::join(guest.cpus, "\",\""));
  const bool emulated = guest.type.starts_with("hvm");
  const std::string config = fmt::format(
      "name=\"{}\"\ntype=\"{}\"\nuuid=\"76746178-0000-4000-8000-{:012}\"\n"
      "kernel=\"{}\"\nramdisk=\"{}\"\ncmdline=\"console=hvc0 quiet nokaslr panic=-1 {}{}{}\"\n"
      "memory={}\nvcpus={}\ncpus={}\nvif=[\"mac={},bridge={}{}{}\"]\n"
      // Without an invariant TSC, which keeps QEMU from saving the machine, Xen would emulate each rdtsc;
      // Linux executes one at every system call.
      "tsc_mode=\"native\"\n"
      "on_poweroff=\"destroy\"\non_reboot=\"destroy\"\non_crash=\"destroy\"\n",
      guest.name, emulated ? "hvm" : guest.type, guest.number, lab::kGuestKernel, lab::kGuestInitrd,
      lab::kGuestWord, guest.number, lab::behind(guest.arguments), guest.memory_mib, guest.cpus.size(), cpus,
      guest.mac, guest.bridge, emulated ? ",model=e1000" : "",
      guest.backend.empty() ? "" : ",backend=" + guest.backend);
  // It has an IOMMU's tables from the beginning, and leaves room for a device where computers have it.
  const char* const devices = guest.takes_devices ? "passthrough=\"enabled\"\ne820_host=1\n" : "";
  return create_from(config + devices + (emulated ? emulated_machine(guest) : ""));
}

Result<> create_driver_domain(const NewDriverDomain& driver) {
  // What it passes on from a guest to this domain lies in pages that are the guest's, and cannot be granted:
  // a frontend that does not trust its backend copies what it sends.
  return create_from(fmt::format(
      "name=\"{}\"\ntype=\"pv\"\nuuid=\"76746178-0000-4000-8001-{:012}\"\n"
      "kernel=\"{}\"\nramdisk=\"{}\"\ncmdline=\"console=hvc0 quiet nokaslr panic=-1 {}{}\"\n"
      "memory={}\nvcpus=1\ncpus=\"{}\"\ndriver_domain=1\npci=[\"{}\"]\nvif=[\"mac={},bridge={},untrusted\"]\n"
      "tsc_mode=\"native\"\n"
      "on_poweroff=\"destroy\"\non_reboot=\"destroy\"\non_crash=\"destroy\"\n",
      driver.name, driver.number, lab::kGuestKernel, lab::kGuestInitrd, lab::kDriverWord, driver.number,
      driver.memory_mib, driver.cpus, driver.card, driver.mac, driver.bridge));
}

Result<> give_away(const std::string& device) {
  const auto programs = programs_directory();
  if (!programs) return fail(programs.error());
  return run_program({*programs + "/xl", "pci-assignable-add", device}, seconds(20));
}

Result<> give_device(const std::string& guest, const std::string& device) {
  const auto programs = programs_directory();
  if (!programs) return fail(programs.error());
  return run_program({*programs + "/xl", "pci-attach", guest, device}, seconds(60));
}

Result<> attach_disk(const std::string& guest, const std::string& device, const std::string& name) {
  const auto programs = programs_directory();
  if (!programs) return fail(programs.error());
  return run_program({*programs + "/xl", "block-attach", guest, fmt::format("phy:{},{},w", device, name)},
                     seconds(60));
}

Result<> move_guest(const std::string& guest, const std::vector<int>& cpus) {
  const auto programs = programs_directory();
  if (!programs) return fail(programs.error());
  Result<> moved;
  for (std::size_t own = 0; own < cpus.size() && moved; ++own)
    moved = run_program(
        {*programs + "/xl", "vcpu-pin", guest, std::to_string(own), std::to_string(cpus[own])}, seconds(20));
  return moved;
}

Result<> set_share(const std::string& guest, Scheduler scheduler, int weight, int cap_percent) {
  if (scheduler != Scheduler::credit2 && scheduler != Scheduler::credit)
    return fail(Error{"set the guest's weight and cap", "this scheduler of Xen's has none",
                      "take scheduler credit2 or credit", ExitCode::trial_failed});
  const auto programs = programs_directory();
  if (!programs) return fail(programs.error());
  return run_program({*programs + "/xl", scheduler == Scheduler::credit ? "sched-credit" : "sched-credit2",
                      "-d", guest, "-w", std::to_string(weight), "-c", std::to_string(cap_percent)},
                     seconds(20));
}

Result<> set_memory(const std::string& guest, int mib) {
  const auto programs = programs_directory();
  if (!programs) return fail(programs.error());
  return run_program({*programs + "/xl", "mem-set", guest, fmt::format("{}m", mib)}, seconds(20));
}

std::string guest_console_tail(const std::string& guest, std::size_t most_bytes) {
  return last_bytes(fmt::format("/var/log/xen/console/guest-{}.log", guest), most_bytes);
}

std::string end_of_domain(const std::string& domain) {
  const auto programs = programs_directory();
  if (!programs) return "";
  const auto listed = said_by_program({*programs + "/xl", "list", domain}, seconds(20));
  if (!listed) return "Xen does not know it any more";
  // Of a table with one row: name, number, memory, CPUs, state.
  std::istringstream words(vtax::last_lines(*listed, 1));
  std::string state;
  for (int word = 0; word < 5; ++word) words >> state;
  if (state.find('c') != std::string::npos) return "it has crashed";
  if (state.find_first_of("sd") != std::string::npos) return "it has shut down";
  return "";
}

std::string device_model_tail(const std::string& guest) {
  return last_lines(fmt::format("/var/log/xen/qemu-dm-{}.log", guest));
}

}  // namespace vtax::agent
