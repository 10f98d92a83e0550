#include <fmt/format.h>

#include "agent/disks.h"
#include "agent/driver_machine.h"
#include "agent/guest_connection.h"
#include "agent/lab_layout.h"
#include "agent/lab_ports.h"
#include "agent/machine.h"
#include "agent/macvtap.h"
#include "agent/vmm.h"
#include "agent/vmm_control.h"
#include "core/kernel_file.h"
#include "core/memory_kills.h"
#include "core/process_end.h"
#include "platform/backend_placement.h"
#include "platform/dead_guest.h"
#include "platform/links.h"
#include "platform/placement.h"
#include "platform/wiring.h"

namespace vtax::agent {
namespace {

constexpr char kKvmBridge[] = "br0";
constexpr char kKvmHost[] = "host";  // the domain's name in the ledger
constexpr std::chrono::seconds kBalloonLimit{20};

Result<> plug_tap(const std::string& tap, int queues) {
  if (Result<> made = make_tap(tap, queues); !made) return made;
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  return wiring::plug(*links, tap, kKvmBridge, true);
}

// Each guest has a QEMU of its own; they boot at once.
Result<std::vector<pid_t>> start_vmms(const DriverShape& shape, bool vhost) {
  std::vector<pid_t> vmms;
  for (int guest = 1; guest <= shape.guests; ++guest) {
    if (Result<> plugged = plug_tap(lab::guest_tap(guest), shape.guest_cpus); !plugged)
      return fail(plugged.error());
    const auto vmm = start_vmm(
        {guest, shape.guest_memory_mib, shape.guest_cpus, wiring::guest_mac(guest), shape.guest_args, vhost});
    if (!vmm) return fail(vmm.error());
    vmms.push_back(*vmm);
  }
  return vmms;
}

// QEMU's main thread does its work; a QEMU has no other threads for it.
Result<std::string> give_kvm_disk(int guest, EndpointClient& client, const std::string& disk) {
  if (Result<> plugged = plug_disk(vmm_control(lab::guest_name(guest)), disk, DiskModel::virtio); !plugged)
    return fail(plugged.error());
  return take_disk(client, lab::kKvmDisk);
}

// From no driver, as the host does not load the functions' own, to VFIO, and so to QEMU.
Result<> give_to_vmm(int guest, const std::string& device) {
  const std::string place = "/sys/bus/pci/devices/" + device;
  Result<> done = write_kernel_file(place + "/driver_override", "vfio-pci");
  if (done) done = write_kernel_file("/sys/bus/pci/drivers/vfio-pci/bind", device);
  if (done) done = plug_device(vmm_control(lab::guest_name(guest)), device);
  return done;
}

// Work of the kernel for it goes where that for the guest's first device does.
Result<> give_macvtap(int guest, const std::string& card, const DriverShape& shape, pid_t vmm, bool vhost) {
  const auto tap = make_macvtap(guest, card, shape.guest_cpus);
  if (!tap) return fail(tap.error());
  const auto plugged = plug_card(vmm_control(lab::guest_name(guest)), *tap, wiring::second_mac(guest), vhost);
  if (!plugged) return plugged;
  return place_vmm_backend(vmm, {shape.backend_cpu()}, shape.guest_cpus);
}

// VFIO's interrupts go where the backends' would.
Result<> place_functions(const DriverShape& shape) {
  const auto interrupts = interrupts_named("vfio-msix");
  if (!interrupts) return fail(interrupts.error());
  return pin_interrupts(*interrupts, shape.backend_cpu());
}

// The balloon comes with the trial that wants it, as a disk does.
Result<> blow_balloons_up(const LabPlan& plan, std::vector<EndpointClient>& guests) {
  const int mib = plan.balloon_mib;
  if (mib == 0) return {};
  Result<> done;
  for (std::size_t i = 0; i < guests.size() && done; ++i) {
    done = plug_balloon(vmm_control(lab::guest_name(static_cast<int>(i) + 1)), mib);
    if (!done) break;
    const auto loaded = guests[i].ask({{"do", "balloon"}}, kBalloonLimit);
    if (!loaded) return fail(loaded.error());
  }
  for (std::size_t i = 0; i < guests.size() && done; ++i)
    done = wait_for_balloon(vmm_control(lab::guest_name(static_cast<int>(i) + 1)), mib, kBalloonLimit);
  return done;
}

std::shared_ptr<GuestEnds> ends_of_vmms(const std::vector<pid_t>& vmms) {
  auto ends = std::make_shared<GuestEnds>();
  int guest = 0;
  for (const pid_t vmm : vmms)
    ends->add(process_descriptor(vmm), [vmm, name = lab::guest_name(++guest), kills = memory_kills()] {
      return error_of_dead_guest(
          name + ": its QEMU has ended",
          end_of_child(vmm) + want_of_memory_since(kills, "the host has less than its guests take"),
          vmm_console_tail(name, kPanicBytes));
    });
  return ends;
}

Result<DriverMachine> bring_kvm_up() {
  const Result<std::string> backend = read_kernel_file(lab::kGuestBackendFile);
  if (!backend) return fail(backend.error());
  const bool vhost = *backend == "vhost";
  const Result<DriverShape> shape = DriverShape::of_boot();
  if (!shape) return fail(shape.error());
  Result<> done = lab_ports::open();
  if (done) done = pin_unbound_work(lab::kDriverCpu);
  if (done) done = make_guests_bridge(kKvmBridge, shape->guests);
  if (!done) return fail(done.error());
  const auto vmms = start_vmms(*shape, vhost);
  if (!vmms) return fail(vmms.error());
  Result<std::vector<EndpointClient>> guests = reach_guests(shape->guests);
  if (!guests) return fail(guests.error());
  const auto move = [vmms = *vmms, backend_cpu = shape->backend_cpu()](int guest,
                                                                       const std::vector<int>& cpus) {
    return place_vmm(vmms[static_cast<std::size_t>(guest - 1)], cpus, backend_cpu);
  };
  for (int guest = 1; guest <= shape->guests; ++guest)
    if (Result<> placed = move(guest, shape->own_cpus_of(guest)); !placed) return fail(placed.error());
  auto modules = modules_of_all(kKvmHost, *guests);
  if (!modules) return fail(modules.error());
  return DriverMachine{vhost ? PlatformId::kvm : PlatformId::kvm_qemu,
                       {kKvmHost, kKvmBridge,
                        [vmms = *vmms, queues = shape->guest_cpus](int guest, const std::string&,
                                                                   const std::vector<int>& cpus) {
                          return place_vmm_backend(vmms[static_cast<std::size_t>(guest - 1)], cpus, queues);
                        }},
                       *shape,
                       lab::guest_tap,
                       move,
                       give_kvm_disk,
                       give_to_vmm,
                       [shape = *shape] { return place_functions(shape); },
                       [shape = *shape, vmms = *vmms, vhost](int guest, const std::string& card) {
                         return give_macvtap(guest, card, shape, vmms[static_cast<std::size_t>(guest - 1)],
                                             vhost);
                       },
                       std::move(*guests),
                       ends_of_vmms(*vmms),
                       std::move(*modules),
                       blow_balloons_up};
}

}  // namespace

Result<> run_kvm_machine() {
  Result<DriverMachine> machine = bring_kvm_up();
  const Result<> done = machine ? run_trial_with_guests(*machine) : Result<>(fail(machine.error()));
  if (!done) fmt::print(stderr, "the guest's console:\n{}\n", vmm_console_tail(lab::guest_name(1)));
  return done;
}

}  // namespace vtax::agent
