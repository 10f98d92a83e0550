#include <optional>

#include "platform/platform.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

constexpr char bridge[] = "vtaxbr0";
constexpr char system_port[] = "vtaxs0", system_device[] = "vtaxs1";  // veth pairs: the bridge's end and
constexpr char peer_port[] = "vtaxp0", peer_device[] = "vtaxp1";      // the end that moves into the namespace

class Container : public Platform {
 public:
  ~Container() override {
    // The veth pairs would go with the namespaces, but some time later.
    if (Result<Links> here = Links::open()) {
      for (const std::string& device : made_) static_cast<void>(here->remove(device));
    }
  }

  Result<Bench> arrange(const Setup& setup) override {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    Result<> done = start(system_, "the system under test", setup.system_cpu);
    if (done) done = start(peer_, "the peer", setup.peer_cpu);
    if (done) done = wiring::make_bridge(*here, bridge, setup.offloads);
    if (!done) return fail(done.error());
    made_.push_back(bridge);

    Bench bench{{&system_->client(), wiring::system_ipv4, false, {{"system", "host", system_device}}},
                {&peer_->client(), wiring::peer_ipv4, false, {}},
                {{"system", "host", system_port}},
                {}};
    done = attach(*here, *system_, system_port, wiring::system_interface(system_device, setup.offloads));
    if (setup.topology == Topology::inside) {
      if (done) done = attach(*here, *peer_, peer_port, wiring::peer_interface(peer_device, setup.offloads));
      bench.peer.devices = {{"peer", "host", peer_device}};
      bench.here.push_back({"peer", "host", peer_port});
      bench.wire = {bench.system.devices.front(), bench.peer.devices.front()};
    } else {
      const auto b = wiring::peer_interface(setup.peer_card, setup.offloads);
      if (done) done = wiring::hand_over_card(*here, *peer_, b, setup.peer_cpu);
      if (done) done = wiring::plug_card(*here, setup.system_card, bridge, setup.offloads, setup.system_cpu);
      if (done) done = wiring::wait_for_carrier(*peer_, b.device);
      bench.peer.devices = {{"peer", "host", b.device}};
      bench.here.push_back({"system", "host", setup.system_card});
      bench.wire = {bench.here.back(), bench.peer.devices.front()};
    }
    if (!done) return fail(done.error());
    bench.processes = {{system_->process(), MeteredProcess::Role::system, setup.system_cpu},
                       {peer_->process(), MeteredProcess::Role::partner, setup.peer_cpu}};
    return bench;
  }

 private:
  static Result<> start(std::optional<EndpointProcess>& end, const char* name, int cpu) {
    auto process = EndpointProcess::start({name, cpu, Network::own, -1});
    if (!process) return fail(process.error());
    end.emplace(std::move(*process));
    return {};
  }

  Result<> attach(Links& here, const EndpointProcess& end, const std::string& port,
                  const wiring::Interface& interface) {
    Result<> done = here.add_veth(port, interface.device);
    if (done) made_.push_back(port);
    if (done) done = wiring::plug(here, port, bridge, interface.offloads);
    if (done) done = wiring::hand_over(here, end, interface);
    return done;
  }

  std::optional<EndpointProcess> system_, peer_;
  std::vector<std::string> made_;  // devices of the caller's namespace
};

}  // namespace

std::unique_ptr<Platform> make_container() {
  return std::make_unique<Container>();
}

}  // namespace vtax
