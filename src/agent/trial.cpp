#include "agent/trial.h"

#include <fmt/format.h>

#include <array>
#include <thread>

namespace vtax::agent {
namespace {

// Fixed, so that two runs hash and queue alike.
constexpr std::uint16_t work_port = 5201, source_port = 40001;

struct Pair {
  End* initiator;
  End* responder;
};

std::vector<std::string> names(const std::vector<CountedDevice>& devices) {
  std::vector<std::string> out;
  for (const CountedDevice& device : devices) out.push_back(device.device);
  return out;
}

// The three readers of counters must not see each other's control traffic. In quiet times counted from the
// end of the work: an end in the controller's own machine reads and answers after one, over a socket that no
// device sees; the controller reads when it has that answer; a guest reads and answers, over counted devices,
// after two. Before the work it is the same with the responder after one, the initiator after two.
RunRequest request(const Plan& plan, const End& end, bool initiator, bool window,
                   std::chrono::milliseconds settle) {
  RunRequest out;
  out.order = window ? plan.window : plan.warmup;
  out.initiator = initiator;
  out.window = window;
  out.lead = initiator ? 2 * settle : settle;
  out.trail = end.in_guest ? 2 * settle : settle;
  out.limit = plan.time_limit;
  if (window) out.devices = names(end.devices);
  return out;
}

void add(nlohmann::json& out, const std::vector<CountedDevice>& devices,
         const std::vector<DeviceCounters>& counts) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    out.push_back({{"side", devices[i].side},
                   {"domain", devices[i].domain},
                   {"device", devices[i].device},
                   {"received", counts[i].received.value},
                   {"sent", counts[i].sent.value},
                   {"received_bytes", counts[i].received_bytes.value},
                   {"sent_bytes", counts[i].sent_bytes.value}});
  }
}

std::uint64_t received(const nlohmann::json& devices, const CountedDevice& wanted) {
  for (const nlohmann::json& device : devices) {
    if (device["device"] == wanted.device && device["domain"] == wanted.domain &&
        device["side"] == wanted.side) {
      return device["received"].get<std::uint64_t>();
    }
  }
  return 0;
}

struct Side {
  End* end;
  RunRequest request;
  RunReport report;
};

struct Window {
  Side initiator, responder;
  std::vector<DeviceCounters> here;  // differences
};

Result<Window> run(const Plan& plan, const Bench& bench, const Pair& pair, bool window,
                   std::chrono::milliseconds settle, const WindowHooks& hooks) {
  Window out{{pair.initiator, request(plan, *pair.initiator, true, window, settle), {}},
             {pair.responder, request(plan, *pair.responder, false, window, settle), {}},
             {}};
  for (Side* side : {&out.responder, &out.initiator}) {
    if (Result<> armed = side->end->client->start(side->request); !armed) return fail(armed.error());
  }
  const std::vector<std::string> devices = window ? names(bench.here) : std::vector<std::string>{};
  std::this_thread::sleep_for(settle + settle / 2);  // after the last control message, before the work
  const auto before = read_counters(devices);
  if (!before) return fail(before.error());
  if (window && hooks.before)
    if (Result<> seen = hooks.before(); !seen) return fail(seen.error());

  // The end that stays silent longer is asked last.
  std::array<Side*, 2> sides{&out.initiator, &out.responder};
  if (pair.initiator->in_guest) std::swap(sides[0], sides[1]);
  Result<std::vector<DeviceCounters>> after;
  for (Side* side : sides) {
    const auto report = side->end->client->finish(side->request);
    if (!report) return fail(report.error());
    side->report = *report;
    if (side == sides[0]) after = read_counters(devices);
    if (!after) return fail(after.error());
    if (side == sides[0] && window && hooks.after)
      if (Result<> seen = hooks.after(); !seen) return fail(seen.error());
  }
  for (std::size_t i = 0; i < after->size(); ++i) out.here.push_back(difference((*before)[i], (*after)[i]));
  return out;
}

Result<> connect(const Plan& plan, const Pair& pair) {
  const TcpAddress address{pair.responder->ipv4, work_port};
  const FlowSetup setup{plan.window.flows, is_udp(plan.window.kind), {}, plan.window.sockets};
  const auto port = pair.responder->client->listen(address, setup);
  if (!port) return fail(port.error());
  // The responder answers only when all flows are there.
  Result<> step = pair.responder->client->tell_accept(setup, true, plan.time_limit);
  if (step) step = pair.initiator->client->connect(address, source_port, setup, plan.time_limit);
  if (!step) return step;
  const auto accepted = pair.responder->client->wait_for("done", plan.time_limit);
  if (!accepted) return fail(accepted.error());
  return {};
}

Result<> expect_all(const Plan& plan, const Window& window) {
  const Done wanted = expected(plan.window);
  for (const Side* side : {&window.initiator, &window.responder}) {
    if (side->report.done() == wanted) continue;
    return fail(Error{"compare the work with what was ordered",
                      fmt::format("{} bytes and {} transactions of {} and {}: datagrams were lost",
                                  side->report.done().bytes.value, side->report.done().transactions.value,
                                  wanted.bytes.value, wanted.transactions.value),
                      "set a lower rate", ExitCode::trial_failed});
  }
  return {};
}

}  // namespace

Result<nlohmann::json> run_trial(const Plan& plan, Bench& bench, std::chrono::milliseconds settle,
                                 const WindowHooks& hooks) {
  const Pair pair =
      plan.system_initiates ? Pair{&bench.system, &bench.peer} : Pair{&bench.peer, &bench.system};
  if (Result<> connected = connect(plan, pair); !connected) return fail(connected.error());
  if (expected(plan.warmup) != Done{}) {
    if (const auto warm = run(plan, bench, pair, false, settle, hooks); !warm) return fail(warm.error());
  }
  const auto window = run(plan, bench, pair, true, settle, hooks);
  if (!window) return fail(window.error());
  if (Result<> all = expect_all(plan, *window); !all) return fail(all.error());

  const Side& initiator = window->initiator;
  const Side& system = plan.system_initiates ? window->initiator : window->responder;
  const Side& peer = plan.system_initiates ? window->responder : window->initiator;
  nlohmann::json devices = nlohmann::json::array();
  add(devices, bench.system.devices, system.report.devices);
  add(devices, bench.here, window->here);
  add(devices, bench.peer.devices, peer.report.devices);
  std::uint64_t packets = 0;
  for (const CountedDevice& device : bench.wire) packets += received(devices, device);
  nlohmann::json result{{"window_virtual_ns", initiator.report.side.duration.count()},
                        {"work",
                         {{"bytes", initiator.report.side.bytes.value},
                          {"packets", packets},
                          {"transactions", initiator.report.side.transactions.value}}},
                        {"devices", devices}};
  // What the system says of its own program, for a meter that sees a guest from outside.
  if (hooks.after) result["system_user_ns"] = system.report.side.cpu.user.count();
  return result;
}

}  // namespace vtax::agent
