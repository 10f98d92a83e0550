#include "platform/backend_placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "core/kernel_file.h"
#include "platform/placement.h"

namespace vtax {

namespace {

Result<> place_kernels_work(const std::vector<std::string>& threads, const std::string& interrupts, int cpu) {
  const auto moved = pin_kernel_threads(threads, cpu);
  if (!moved) return fail(moved.error());
  const auto numbers = interrupts_named(interrupts);
  if (!numbers) return fail(numbers.error());
  return pin_interrupts(*numbers, cpu);
}

}  // namespace

Result<> place_vif(const std::string& vif, const std::vector<int>& cpus) {
  Result<> placed = place_kernels_work({vif + "-", "xenwatch", "xenbus"}, vif, cpus.front());
  // "vif1.0-q1-guest-rx", and the event channels "vif1.0-q1-rx" and "-tx".
  for (std::size_t queue = 1; placed && cpus.size() > 1; ++queue) {
    const std::string name = fmt::format("{}-q{}-", vif, queue);
    if (processes_named(name).empty()) break;
    placed = place_kernels_work({name}, name, cpus[queue % cpus.size()]);
  }
  return placed;
}

Result<> place_vbd(const std::string& vbd, int cpu) {
  return place_kernels_work({vbd + "-"}, "blkif-backend", cpu);
}

namespace {

// Calls `place` with each thread of a process and its name.
template <class Place>
Result<> for_each_thread(pid_t process, Place place) {
  std::error_code error;
  const std::filesystem::path threads = fmt::format("/proc/{}/task", process);
  for (std::filesystem::directory_iterator thread(threads, error), end; !error && thread != end;
       thread.increment(error)) {
    const std::string number = thread->path().filename();
    pid_t id = 0;
    std::from_chars(number.data(), number.data() + number.size(), id);
    const auto name = read_kernel_file(thread->path() / "comm");
    if (!name) continue;  // it ended meanwhile
    if (Result<> placed = place(id, *name); !placed) return placed;
  }
  return {};
}

}  // namespace

Result<> pin_whole(pid_t process, int cpu) {
  return for_each_thread(process, [&](pid_t thread, const std::string&) { return pin(thread, cpu); });
}

Result<> place_device_models(int cpu) {
  const auto processes = processes_named("xen-qemu-system");  // as far as the kernel keeps a name
  if (processes.empty())
    return fail(Error{"place the device models", "there are none", "", ExitCode::trial_failed});
  for (const pid_t process : processes)
    if (Result<> placed = pin_whole(process, cpu); !placed) return placed;
  return {};
}

// "-xen-domid N" on the device model's command line, whose words end in zero bytes.
bool serves_domain(pid_t process, int domain) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", process), std::ios::binary);
  const std::string words((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string wanted = std::string("-xen-domid") + '\0' + std::to_string(domain) + '\0';
  return words.find(wanted) != std::string::npos;
}

Result<> place_device_model(int domain, int cpu) {
  for (const pid_t process : processes_named("xen-qemu-system"))
    if (serves_domain(process, domain)) return pin_whole(process, cpu);
  return fail(Error{fmt::format("place the device model of domain {}", domain), "there is none", "",
                    ExitCode::trial_failed});
}

namespace {

constexpr std::string_view kVirtualCpuThread = "CPU ";  // QEMU calls it "CPU 0/KVM"

// Of which virtual CPU this is the thread.
std::optional<std::size_t> virtual_cpu_of(const std::string& thread) {
  if (!thread.starts_with(kVirtualCpuThread)) return std::nullopt;
  std::size_t number = 0;
  std::from_chars(thread.data() + kVirtualCpuThread.size(), thread.data() + thread.size(), number);
  return number;
}

}  // namespace

Result<> place_vmm_backend(pid_t vmm, const std::vector<int>& cpus, int queues) {
  const std::string vhost = fmt::format("vhost-{}", vmm);
  std::vector<pid_t> workers;  // processes of the kernel's, or since Linux 6.4 threads of QEMU's
  const auto placed = for_each_thread(vmm, [&](pid_t thread, const std::string& name) {
    if (name == vhost) workers.push_back(thread);
    return name == vhost || virtual_cpu_of(name) ? Result<>() : pin(thread, cpus.front());
  });
  if (!placed) return placed;
  for (const pid_t process : processes_named(vhost)) {
    const auto whole = read_kernel_file(fmt::format("/proc/{}/comm", process));
    if (whole && *whole == vhost) workers.push_back(process);  // or of a process whose number begins so
  }
  std::sort(workers.begin(), workers.end());  // as they were made: card by card
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const std::size_t queue = i % static_cast<std::size_t>(queues);
    if (Result<> pinned = pin(workers[i], cpus[queue % cpus.size()]); !pinned) return pinned;
  }
  return {};
}

Result<> place_vmm(pid_t vmm, const std::vector<int>& guest_cpus, int driver_cpu) {
  std::size_t virtual_cpus = 0;
  const auto placed = for_each_thread(vmm, [&](pid_t thread, const std::string& name) {
    const auto number = virtual_cpu_of(name);
    if (!number || *number >= guest_cpus.size()) return pin(thread, driver_cpu);
    ++virtual_cpus;
    return pin(thread, guest_cpus[*number]);
  });
  if (!placed) return placed;
  if (virtual_cpus != guest_cpus.size())
    return fail(Error{"place the guest's virtual CPUs",
                      fmt::format("QEMU has threads for {} of {}", virtual_cpus, guest_cpus.size()), "",
                      ExitCode::trial_failed});
  const auto kernels = pin_kernel_threads({"vhost-", "kvm-"}, driver_cpu);
  if (!kernels) return fail(kernels.error());
  return {};
}

}  // namespace vtax
