#include "platform/kvm.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include "platform/kernel_file.h"
#include "platform/offloads.h"
#include "platform/placement.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

class Kvm : public Platform {
 public:
  Kvm(KvmGuest guest, EndpointClient& client) : guest_(std::move(guest)), client_(client) {}

  ~Kvm() override {
    if (plugged_card_.empty()) return;
    if (Result<Links> here = Links::open()) static_cast<void>(here->release(plugged_card_));
  }

  Result<Bench> arrange(const Setup& setup) override {
    Result<> done = set_segmentation_offloads(guest_.tap, setup.offloads);
    if (done) done = set_segmentation_offloads(guest_.bridge, setup.offloads);
    if (!done) return fail(done.error());
    const auto set = client_.ask({{"do", "offloads"}, {"device", guest_.device}, {"on", setup.offloads}},
                                 std::chrono::seconds(10));
    if (!set) return fail(set.error());

    const bool inside = setup.topology == Topology::inside;
    auto peer = EndpointProcess::start(
        {inside ? "the partner" : "the peer", setup.peer_cpu, inside ? Network::callers : Network::own, -1});
    if (!peer) return fail(peer.error());
    peer_.emplace(std::move(*peer));
    const CountedDevice card{"system", guest_.name, guest_.device}, tap{"system", "host", guest_.tap};
    const End system{&client_, wiring::system_ipv4, true, {card}, guest_.name};
    if (inside) {
      return Bench{system,
                   {&peer_->client(), wiring::driver_ipv4, false, {}},
                   {tap, {"peer", "host", guest_.bridge}},
                   {card, tap}};
    }
    return over_cards(setup, system, tap);
  }

 private:
  Result<Bench> over_cards(const Setup& setup, const End& system, const CountedDevice& tap) {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    const auto b = wiring::peer_interface(setup.peer_card, setup.offloads);
    Result<> done = wiring::hand_over_card(*here, *peer_, b, setup.peer_cpu);
    plugged_card_ = setup.system_card;
    if (done)
      done = wiring::plug_card(*here, setup.system_card, guest_.bridge, setup.offloads, setup.system_cpu);
    if (done) done = wiring::wait_for_carrier(*peer_, b.device);
    if (!done) return fail(done.error());
    const CountedDevice card_a{"system", "host", setup.system_card}, card_b{"peer", "host", b.device};
    return Bench{system, {&peer_->client(), b.ipv4, false, {card_b}}, {tap, card_a}, {card_a, card_b}};
  }

  KvmGuest guest_;
  EndpointClient& client_;
  std::optional<EndpointProcess> peer_;
  std::string plugged_card_;
};

}  // namespace

std::unique_ptr<Platform> make_kvm(KvmGuest guest, EndpointClient& client) {
  return std::make_unique<Kvm>(std::move(guest), client);
}

Result<> place_vmm(pid_t vmm, int guest_cpu, int driver_cpu) {
  bool has_virtual_cpu = false;
  std::error_code error;
  const std::filesystem::path threads = fmt::format("/proc/{}/task", vmm);
  for (std::filesystem::directory_iterator thread(threads, error), end; !error && thread != end;
       thread.increment(error)) {
    const std::string number = thread->path().filename();
    pid_t id = 0;
    std::from_chars(number.data(), number.data() + number.size(), id);
    const auto name = read_kernel_file(thread->path() / "comm");
    if (!name) continue;  // it ended meanwhile
    const bool is_virtual_cpu = name->starts_with("CPU ");
    has_virtual_cpu = has_virtual_cpu || is_virtual_cpu;
    if (Result<> pinned = pin(id, is_virtual_cpu ? guest_cpu : driver_cpu); !pinned) return pinned;
  }
  if (!has_virtual_cpu)
    return fail(
        Error{"place the guest's virtual CPU", "QEMU has no thread for it", "", ExitCode::trial_failed});
  const auto kernels = pin_kernel_threads({"vhost-", "kvm-"}, driver_cpu);
  if (!kernels) return fail(kernels.error());
  return {};
}

}  // namespace vtax
