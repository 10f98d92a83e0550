#include "platform/tap_guest.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "platform/namespace.h"
#include "platform/offloads.h"
#include "platform/quiet.h"
#include "platform/tap.h"
#include "platform/wiring.h"
#include "workload/tcp_socket.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;
using Network = EndpointProcess::Options::Network;

constexpr char guest_bridge[] = "vtaxbr0", guest_peer_port[] = "vtaxp0", guest_peer_device[] = "vtaxp1";
constexpr int guest_number = 1;
constexpr std::uint16_t guest_control_port = 5200;  // of the agent in the guest
constexpr std::chrono::milliseconds connect_limit{100};
constexpr std::chrono::seconds guest_order_limit{10};

// One attempt. A guest that is not up answers nothing, so waiting for TCP's own repetition would cost a
// second.
Descriptor try_to_connect(const sockaddr_in& address) {
  Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto connect_to = [&](const sockaddr* to, socklen_t size) { return connect(fd.get(), to, size); };
  if (!fd.valid() || (with_address(address, connect_to) != 0 && errno != EINPROGRESS)) return {};
  pollfd ready{fd.get(), POLLOUT, 0};
  int error = 0;
  socklen_t size = sizeof error;
  if (poll(&ready, 1, static_cast<int>(connect_limit.count())) != 1) return {};
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return {};
  return fd;
}

class OnTap : public Platform {
 public:
  explicit OnTap(TapGuest guest) : guest_(std::move(guest)) {}

  Result<Bench> arrange(const Setup& setup) override {
    if (setup.topology != Topology::inside)
      return fail(Error{"place the guest", "it has no second network card", "set topology=inside",
                        ExitCode::unavailable});
    Result<> done = quieten_namespace();
    if (done) done = make_network(setup);
    if (!done) return fail(done.error());
    auto process = GuestProcess::start(guest_.program, setup.system_cpu);
    if (!process) return fail(process.error());
    process_.emplace(std::move(*process));
    auto client = reach_agent();
    if (!client) return fail(client.error());
    client_.emplace(std::move(*client));
    // For the lab's probe, where this machine is itself an emulated one; elsewhere it does nothing.
    if (Result<> announced = client_->announce(guest_number); !announced) return fail(announced.error());
    const auto set = client_->ask({{"do", "offloads"}, {"device", guest_.device}, {"on", setup.offloads}},
                                  guest_order_limit);
    if (!set) return fail(set.error());

    const CountedDevice card{"system", guest_domain_name, guest_.device}, tap{"system", "host", guest_tap};
    Bench bench{{&*client_, wiring::system_ipv4, true, {card}, guest_domain_name},
                {&peer_->client(), wiring::peer_ipv4, false, {{"peer", "host", guest_peer_device}}},
                {tap, {"peer", "host", guest_peer_port}},
                {card, {"peer", "host", guest_peer_device}}};
    bench.processes = {{process_->process(), guest_.role, setup.system_cpu},
                       {peer_->process(), MeteredProcess::Role::partner, setup.peer_cpu}};
    return bench;
  }

 private:
  // guest - tap - bridge - veth - partner. The bridge has an address too: orders go to the guest from there.
  Result<> make_network(const Setup& setup) {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    auto peer = EndpointProcess::start({"the peer", setup.peer_cpu, Network::own, -1});
    if (!peer) return fail(peer.error());
    peer_.emplace(std::move(*peer));
    Result<> done = wiring::make_bridge(*here, guest_bridge, setup.offloads);
    if (done) done = here->add_address(guest_bridge, wiring::driver_ipv4, wiring::prefix_bits);
    if (done) done = here->add_neighbour(guest_bridge, wiring::system_ipv4, wiring::system_mac);
    if (done) done = make_tap(guest_tap);
    if (done) done = wiring::plug(*here, guest_tap, guest_bridge, setup.offloads);
    if (done) done = here->add_veth(guest_peer_port, guest_peer_device);
    if (done) done = wiring::plug(*here, guest_peer_port, guest_bridge, setup.offloads);
    if (done)
      done = wiring::hand_over(*here, *peer_, wiring::peer_interface(guest_peer_device, setup.offloads));
    return done;
  }

  Result<EndpointClient> reach_agent() {
    const auto address = socket_address({wiring::system_ipv4, guest_control_port});
    if (!address) return fail(address.error());
    const auto deadline = Clock::now() + guest_.boot_limit;
    while (process_->running() && Clock::now() < deadline) {
      if (Descriptor connection = try_to_connect(*address); connection.valid())
        return EndpointClient(ControlChannel(std::move(connection), guest_domain_name));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const std::string why = process_->running()
                                ? fmt::format("it did not answer within {} s", guest_.boot_limit.count())
                                : "it ended";
    return fail(Error{"boot the guest of platform " + guest_.name, why,
                      "its last lines:\n" + process_->console_tail(), ExitCode::trial_failed});
  }

  TapGuest guest_;
  std::optional<EndpointProcess> peer_;
  std::optional<GuestProcess> process_;
  std::optional<EndpointClient> client_;
};

}  // namespace

std::unique_ptr<Platform> make_tap_guest(TapGuest guest) {
  return std::make_unique<OnTap>(std::move(guest));
}

}  // namespace vtax
