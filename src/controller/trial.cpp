#include "controller/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "controller/trial_result.h"
#include "platform/driven_guests.h"
#include "workload/measure/marker.h"

namespace vtax::controller {
namespace {

using Clock = std::chrono::steady_clock;

// Fixed, so that two runs hash and queue alike; each guest has ports of its own, and each of so many
// repetitions: what the one before it used is closed but not yet forgotten (a minute).
constexpr int kSourcePort = 40001, kPortsOfRepetition = 1024, kRepetitionsWithOwnPorts = 20;
static_assert(marker::kMostDomains * Order::kMostFlows <= kPortsOfRepetition);

std::uint16_t source_port_of(int guest, int repetition) {
  return static_cast<std::uint16_t>(kSourcePort + (guest - 1) * Order::kMostFlows +
                                    (repetition - 1) % kRepetitionsWithOwnPorts * kPortsOfRepetition);
}

constexpr unsigned kAllMarks = 32, kLeastMarks = 8;

// One guest with its partner.
struct Pair {
  EndPair ends;
  int guest = 1;
  bool system_initiates = true;

  End& initiator() { return system_initiates ? ends.system : ends.peer; }
  End& responder() { return system_initiates ? ends.peer : ends.system; }
};

std::vector<Pair> pairs_of(const TrialPlan& plan, const Bench& bench) {
  std::vector<Pair> pairs{{{bench.system, bench.peer}, 1, guest_initiates(plan, 1)}};
  for (const EndPair& ends : bench.more) {
    const int guest = static_cast<int>(pairs.size()) + 1;
    pairs.push_back({ends, guest, guest_initiates(plan, guest)});
  }
  return pairs;
}

std::vector<std::string> names(const std::vector<CountedDevice>& devices) {
  std::vector<std::string> out;
  for (const CountedDevice& device : devices) out.push_back(device.device);
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

struct PairWork {
  Side initiator, responder;
};

struct Window {
  std::vector<PairWork> work;        // of guest 1, 2, ...
  std::vector<DeviceCounters> here;  // differences; behind the bench's own those elsewhere
};

// Of the caller's devices and of those elsewhere, outside the window.
Result<std::vector<DeviceCounters>> counters_for(const Bench& bench) {
  auto counters = read_counters(names(bench.here));
  for (const RemoteDevices& remote : bench.elsewhere) {
    if (!counters) break;
    auto more = counters_of(remote);
    if (!more) return more;
    counters->insert(counters->end(), more->begin(), more->end());
  }
  return counters;
}

SocketSettings sockets_of(const TrialPlan& plan, const Pair& pair, bool initiator) {
  SocketSettings out = plan.window.sockets;
  const std::uint64_t window = pair.system_initiates == initiator ? plan.system_window : plan.peer_window;
  if (window != 0) out.send_buffer = out.receive_buffer = window;
  return out;
}

// The readers of counters must not see each other's control traffic, and no guest that still works may be
// disturbed by one that has ended. In quiet times counted from when the first order is given: the responders
// read after a half, the initiators after one, the controller after one and a half; the initiators begin
// together after two. After the work every end in the controller's own machine waits for one and says so,
// over a socket that no device sees; when all have, the controller reads and asks them, and they read. A
// guest reads after two, and answers, over counted devices, when it is asked.
class WindowRun {
 public:
  WindowRun(const TrialPlan& plan, const Bench& bench, std::vector<Pair>& pairs, bool window,
            std::chrono::milliseconds settle, const WindowHooks& hooks)
      : plan_(plan), bench_(bench), pairs_(pairs), window_(window), settle_(settle), hooks_(hooks) {}

  Result<Window> run() {
    start_ = Clock::now();
    Window out;
    for (Pair& pair : pairs_)
      out.work.push_back(
          {{&pair.initiator(), request(pair, true), {}}, {&pair.responder(), request(pair, false), {}}});
    for (PairWork& work : out.work)
      if (Result<> armed = arm(work.responder, settle_); !armed) return fail(armed.error());
    for (PairWork& work : out.work)
      if (Result<> armed = arm(work.initiator, 2 * settle_); !armed) return fail(armed.error());

    std::this_thread::sleep_until(start_ + settle_ + settle_ / 2);
    const auto before = counters();
    if (!before) return fail(before.error());
    if (window_ && hooks_.before)
      if (Result<> seen = hooks_.before(); !seen) return fail(seen.error());
    if (window_ && controller_marks()) marker::begin_window();
    for (PairWork& work : out.work)
      for (Side* side : {&work.initiator, &work.responder})
        if (!side->end->in_guest)
          if (Result<> ended = side->end->client->wait_until_ended(side->request); !ended)
            return fail(ended.error());
    if (window_ && controller_marks()) marker::end_window();
    const auto after = counters();
    if (!after) return fail(after.error());
    if (window_ && hooks_.after)
      if (Result<> seen = hooks_.after(); !seen) return fail(seen.error());
    for (std::size_t i = 0; i < after->size(); ++i) out.here.push_back(difference((*before)[i], (*after)[i]));

    for (const bool in_guest : {false, true}) {
      if (in_guest) std::this_thread::sleep_for(settle_ + settle_ / 2);
      for (PairWork& work : out.work)
        for (Side* side : {&work.initiator, &work.responder})
          if (side->end->in_guest == in_guest)
            if (Result<> collected = collect(*side); !collected) return fail(collected.error());
    }
    return out;
  }

 private:
  // Nobody's in the warm-up.
  Result<std::vector<DeviceCounters>> counters() const {
    if (!window_) return std::vector<DeviceCounters>();
    return counters_for(bench_);
  }

  [[nodiscard]] bool controller_marks() const { return static_cast<bool>(hooks_.before); }

  RunRequest request(const Pair& pair, bool initiator) const {
    RunRequest out;
    out.order = order_of_guest(window_ ? plan_.window : plan_.warmup, plan_.loads, pair.guest);
    out.order.sockets = sockets_of(plan_, pair, initiator);
    out.initiator = initiator;
    // Where others' guests ask, too, only those who are asked are in a machine that is counted.
    const bool marks = initiator == (plan_.machines == 1);
    out.window = window_ && !controller_marks() && marks;
    if (out.window) out.marking = {static_cast<unsigned>(pair.guest), marks_of_each(pairs_.size())};
    out.limit = plan_.time_limit;
    out.hold = true;
    return out;
  }

  Result<> arm(Side& side, std::chrono::nanoseconds begin) {
    side.request.lead = std::max<std::chrono::nanoseconds>(start_ + begin - Clock::now(), settle_ / 4);
    side.request.trail = side.end->in_guest ? 2 * settle_ : settle_;
    side.request.silent = side.end->in_guest;
    if (window_) side.request.devices = names(side.end->devices);
    return side.end->client->start(side.request);
  }

  static Result<> collect(Side& side) {
    auto report = side.end->client->collect(side.request);
    if (!report) return fail(report.error());
    side.report = std::move(*report);
    return {};
  }

  const TrialPlan& plan_;
  const Bench& bench_;
  std::vector<Pair>& pairs_;
  bool window_;
  std::chrono::milliseconds settle_;
  WindowHooks hooks_;
  Clock::time_point start_;
};

Result<> connect(const TrialPlan& plan, Pair& pair, int repetition) {
  const End& responder = pair.responder();
  const TcpAddress address{responder.ipv4, work_port_of(pair.guest)};
  const TcpAddress reached{responder.known_as.empty() ? responder.ipv4 : responder.known_as, address.port};
  const std::uint16_t source = source_port_of(pair.guest, repetition);
  const FlowSetup theirs{plan.window.flows, is_udp(plan.window.kind), {}, sockets_of(plan, pair, true)};
  FlowSetup setup = theirs;
  setup.sockets = sockets_of(plan, pair, false);
  const auto port = pair.responder().client->listen(address, setup);
  if (!port) return fail(port.error());
  // The responder answers only when all flows are there.
  Result<> step = pair.responder().client->tell_accept(setup, true, plan.time_limit);
  if (step) step = pair.initiator().client->connect(reached, source, theirs, plan.time_limit);
  if (!step) return step;
  const auto accepted = pair.responder().client->wait_for("done", plan.time_limit);
  if (!accepted) return fail(accepted.error());
  return {};
}

Result<> expect_all(const PairWork& work) {
  const Done wanted = expected(work.initiator.request.order);
  for (const Side* side : {&work.initiator, &work.responder}) {
    if (side->report.done() == wanted) continue;
    return fail(Error{"compare the work with what was ordered",
                      fmt::format("{} bytes and {} transactions of {} and {}: datagrams were lost",
                                  side->report.done().bytes.value, side->report.done().transactions.value,
                                  wanted.bytes.value, wanted.transactions.value),
                      "set a lower rate", ExitCode::trial_failed});
  }
  return {};
}

nlohmann::json result_of(const Bench& bench, std::vector<Pair>& pairs, const Window& window) {
  nlohmann::json devices = nlohmann::json::array();
  TrialResult all;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const PairWork& work = window.work[i];
    const Side& system = pairs[i].system_initiates ? work.initiator : work.responder;
    add(devices, pairs[i].ends.system.devices, system.report.devices);
    all.add(pairs[i].ends.system.name, work.initiator.report.side);
  }
  std::vector<CountedDevice> middle = bench.here;
  for (const RemoteDevices& remote : bench.elsewhere)
    middle.insert(middle.end(), remote.devices.begin(), remote.devices.end());
  add(devices, middle, window.here);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const PairWork& work = window.work[i];
    const Side& peer = pairs[i].system_initiates ? work.responder : work.initiator;
    add(devices, pairs[i].ends.peer.devices, peer.report.devices);
  }
  std::uint64_t packets = 0;
  for (const CountedDevice& device : bench.wire) packets += received(devices, device);
  return all.to_json(packets, std::move(devices));
}

// What each system says of its own program, ns.
nlohmann::json programs_time(const std::vector<Pair>& pairs, const Window& window) {
  nlohmann::json out = nlohmann::json::array();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const PairWork& work = window.work[i];
    const Side& system = pairs[i].system_initiates ? work.initiator : work.responder;
    out.push_back(system.report.side.cpu.user.count());
  }
  return out;
}

}  // namespace

unsigned marks_of_each(std::size_t guests) {
  return std::max(kLeastMarks, kAllMarks / static_cast<unsigned>(guests));
}

Result<nlohmann::json> run_trial(const TrialPlan& plan, Bench& bench, std::chrono::milliseconds settle,
                                 const WindowHooks& hooks, int repetition) {
  std::vector<Pair> pairs = pairs_of(plan, bench);
  for (Pair& pair : pairs)
    if (Result<> connected = connect(plan, pair, repetition); !connected) return fail(connected.error());
  if (expected(plan.warmup) != Done{}) {
    if (const auto warm = WindowRun(plan, bench, pairs, false, settle, {}).run(); !warm)
      return fail(warm.error());
  }
  const auto window = WindowRun(plan, bench, pairs, true, settle, hooks).run();
  if (!window) return fail(window.error());
  for (const PairWork& work : window->work)
    if (Result<> all = expect_all(work); !all) return fail(all.error());
  nlohmann::json result = result_of(bench, pairs, *window);
  // What the systems say of themselves, for a meter that sees a guest from outside.
  if (hooks.after) {
    const PairWork& first = window->work.front();
    const Side& system = pairs.front().system_initiates ? first.initiator : first.responder;
    const CpuUse& cpu = system.report.side.cpu;
    result["systems_user_ns"] = programs_time(pairs, *window);
    result["system_cpu"] = {{"user_ns", cpu.user.count()}, {"system_ns", cpu.system.count()}};
    if (cpu.machine_busy) result["system_cpu"]["machine_busy_ns"] = cpu.machine_busy->count();
  }
  return result;
}

}  // namespace vtax::controller
