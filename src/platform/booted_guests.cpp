#include "platform/booted_guests.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "platform/dead_guest.h"
#include "platform/namespace.h"
#include "platform/offloads.h"
#include "platform/quiet.h"
#include "platform/router.h"
#include "platform/wiring.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;
using Network = EndpointProcess::Options::Network;

constexpr char kGuestBridge[] = "vtaxbr0", kGuestPeerPort[] = "vtaxp0", kGuestPeerDevice[] = "vtaxp1";
constexpr std::uint16_t kGuestControlPort = 5200;  // of the agent in the guest
constexpr std::chrono::milliseconds kConnectLimit{100};

// One attempt. A guest that is not up answers nothing, so waiting for TCP's own repetition would cost a
// second.
Descriptor try_to_connect(const NetAddress& address) {
  Descriptor fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid() || (connect(fd.get(), address.get(), address.size()) != 0 && errno != EINPROGRESS))
    return {};
  pollfd ready{fd.get(), POLLOUT, 0};
  int error = 0;
  socklen_t size = sizeof error;
  if (poll(&ready, 1, static_cast<int>(kConnectLimit.count())) != 1) return {};
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return {};
  return fd;
}

class BootedGuests : public Platform {
 public:
  explicit BootedGuests(GuestKind kind) : kind_(std::move(kind)) {}

  Result<Bench> arrange(const Setup& setup) override {
    if (setup.topology != Topology::inside)
      return fail(Error{"place the guest", "it has no second network card", "set topology=inside",
                        ExitCode::unavailable});
    // The pointers into these stay good.
    const auto guests = static_cast<std::size_t>(setup.guests);
    peers_.reserve(guests);
    clients_.reserve(guests);
    Result<> done = quieten_namespace();
    if (done) done = make_network(setup);
    if (done) done = start_all(setup);
    if (done && setup.forwarding == Forwarding::nat) done = router_->translate(setup.guests);
    if (done) done = reach_all(setup);
    if (!done) return fail(done.error());
    Bench bench;
    for (int guest = 1; guest <= setup.guests; ++guest) add(bench, setup, guest);
    bench.end_with(ends_);
    bench.here.push_back({"peer", "host", kGuestPeerPort});
    bench.wire.push_back({"peer", "host", kGuestPeerDevice});
    bench.peer.devices = {{"peer", "host", kGuestPeerDevice}};
    return bench;
  }

 private:
  // guest - port - bridge - veth - partner. The bridge has an address too: orders go to the guest from there.
  // A router takes its place, with that address on each port.
  Result<> make_network(const Setup& setup) {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    for (int guest = 1; guest <= setup.guests; ++guest) {
      auto peer = wiring::start_on_wire(peers_, setup, guest, "the peer", setup.peer_cpu);
      if (!peer) return fail(peer.error());
      peers_.push_back(std::move(*peer));
    }
    Result<> done = make_guests_middle(*here, setup);
    if (done) done = here->add_veth(kGuestPeerPort, kGuestPeerDevice);
    if (done) done = wiring::hand_over(*here, peers_.front(), outside_of(setup));
    if (done)
      done = router_ ? router_->face_peers(kGuestPeerPort, 0, setup.offloads)
                     : wiring::plug(*here, kGuestPeerPort, kGuestBridge, setup.offloads);
    if (done && !router_) done = wiring::introduce_guests(peers_.front(), kGuestPeerDevice, setup.guests);
    if (done) done = wiring::shape_end(*here, kGuestPeerPort, setup.link_bits_per_second);
    if (done) done = wiring::shape_end(peers_.front(), kGuestPeerDevice, setup.link_bits_per_second);
    return done;
  }

  Result<> make_guests_middle(Links& here, const Setup& setup) {
    if (setup.forwarding != Forwarding::bridge) return Router::start(router_);
    Result<> done = wiring::make_bridge(here, kGuestBridge, setup.offloads);
    if (done) done = here.add_address(kGuestBridge, wiring::kDriverIpv4, wiring::kPrefixBits);
    for (int guest = 1; guest <= setup.guests && done; ++guest)
      done = here.add_neighbour(kGuestBridge, wiring::guest_ipv4(guest), wiring::guest_mac(guest));
    return done;
  }

  Result<> plug_in(const std::string& port, const Setup& setup, int guest) {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    return router_ ? router_->face_system(port, guest, setup.offloads)
                   : wiring::plug(*here, port, kGuestBridge, setup.offloads);
  }

  static wiring::Interface outside_of(const Setup& setup) {
    return wiring::peer_interface(kGuestPeerDevice, setup.offloads, setup.forwarding);
  }

  // They boot at once: they share a CPU.
  Result<> start_all(const Setup& setup) {
    for (int guest = 1; guest <= setup.guests; ++guest) {
      auto started =
          kind_.start(guest, setup, [&](const std::string& port) { return plug_in(port, setup, guest); });
      if (!started) return fail(started.error());
      guests_.push_back(std::move(*started));
    }
    return {};
  }

  Result<> reach_all(const Setup& setup) {
    for (int guest = 1; guest <= setup.guests; ++guest) {
      StartedGuest& started = *guests_[static_cast<std::size_t>(guest - 1)];
      auto client = reach_agent(guest, started, setup.guests * kind_.boot_limit);
      if (!client) return fail(client.error());
      clients_.push_back(std::move(*client));
      EndpointClient& agent = clients_.back();
      ends_->add(started.end(), [guest, &started] { return died(guest, started); });
      agent.end_with(ends_);
      // For the lab's probe, where this machine is itself an emulated one; elsewhere it does nothing.
      if (Result<> announced = agent.announce(guest); !announced) return announced;
      if (Result<> set = wiring::set_offloads(agent, kind_.device, setup.offloads); !set) return set;
      if (Result<> settled = started.settle(setup); !settled) return settled;
    }
    for (EndpointClient& client : clients_)
      if (Result<> loaded = wiring::start_softload(client, setup.softload_percent); !loaded) return loaded;
    return {};
  }

  Result<EndpointClient> reach_agent(int guest, StartedGuest& started, std::chrono::seconds limit) {
    const auto address = socket_address({wiring::guest_ipv4(guest), kGuestControlPort});
    if (!address) return fail(address.error());
    const auto deadline = Clock::now() + limit;
    while (started.running() && Clock::now() < deadline) {
      if (Descriptor connection = try_to_connect(*address); connection.valid())
        return EndpointClient(ControlChannel(std::move(connection), guest_domain_name(guest)));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const std::string why = started.running() ? fmt::format("it did not answer within {} s", limit.count())
                                              : started.how_it_ended();
    return fail(error_of_dead_guest(
        fmt::format("boot {} of platform {}", guest_domain_name(guest), kind_.name), why, started.console()));
  }

  // In the middle of its work.
  static Error died(int guest, StartedGuest& started) {
    static_cast<void>(started.running());  // which asks for its end
    Error error =
        error_of_dead_guest(fmt::format("{}: {} has ended", guest_domain_name(guest), started.runner()),
                            started.how_it_ended(), started.console());
    if (!started.keeps_console()) error.next = "what it printed since it booted is lost with it";
    return error;
  }

  void add(Bench& bench, const Setup& setup, int guest) {
    const auto place = static_cast<std::size_t>(guest - 1);
    const CountedDevice card{"system", guest_domain_name(guest), kind_.device},
        port{"system", "host", guests_[place]->port()};
    EndPair pair{{&clients_[place],
                  wiring::guest_ipv4(guest),
                  true,
                  {card},
                  guest_domain_name(guest),
                  wiring::name_outside(setup.forwarding, 0)},
                 {&peers_[place].client(), outside_of(setup).ipv4, false, {}}};
    bench.here.push_back(port);
    bench.wire.push_back(card);
    guests_[place]->describe(bench, setup, guest);
    bench.processes.push_back({peers_[place].process(), MeteredProcess::Role::partner, setup.peer_cpu});
    bench.add(guest, std::move(pair));
  }

  GuestKind kind_;
  std::vector<EndpointProcess> peers_;
  std::optional<Router> router_;  // in the bridge's place
  std::vector<std::unique_ptr<StartedGuest>> guests_;
  std::vector<EndpointClient> clients_;
  const std::shared_ptr<GuestEnds> ends_ = std::make_shared<GuestEnds>();
};

}  // namespace

std::string guest_domain_name(int guest) {
  return fmt::format("guest{}", guest);
}

std::string guest_boot_word(int guest) {
  return fmt::format("vtax.guest={}", guest);
}

std::unique_ptr<Platform> make_booted_guests(GuestKind kind) {
  return std::make_unique<BootedGuests>(std::move(kind));
}

}  // namespace vtax
