#include "workload/traffic/endpoint.h"

#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <thread>

#include "workload/measure/marker.h"
#include "workload/traffic/socket_io.h"
#include "workload/traffic/span.h"

namespace vtax {
namespace {

constexpr std::uint64_t kMostLimitNs = 3'600'000'000'000;

Result<Watchdog> watchdog_of(const JsonFields& order) {
  const auto limit = order.number("limit_ns", 1, kMostLimitNs);
  if (!limit) return fail(limit.error());
  return Watchdog::start(std::chrono::nanoseconds(*limit));
}

// The key is older than the addresses of IPv6 that it may hold.
Result<TcpAddress> address_of(const JsonFields& order) {
  const auto host = order.text("ipv4", 128);
  if (!host) return fail(host.error());
  const auto port = order.number("port", 0, 65535);
  if (!port) return fail(port.error());
  return TcpAddress{*host, static_cast<std::uint16_t>(*port)};
}

Result<FlowSetup> setup_of(const JsonFields& order) {
  FlowSetup setup;
  const auto fields = order.object("setup");
  if (!fields) return fail(fields.error());
  const auto flows = fields->number("flows", 1, Order::kMostFlows);
  if (!flows) return fail(flows.error());
  const auto datagrams = fields->boolean("datagrams");
  if (!datagrams) return fail(datagrams.error());
  const auto token = flow_token(*fields, "token");
  if (!token) return fail(token.error());
  const auto sockets = SocketSettings::from(*fields);
  if (!sockets) return fail(sockets.error());
  return FlowSetup{static_cast<int>(*flows), *datagrams, *token, *sockets};
}

// The probe learns whose a virtual CPU is from what runs on it. One that has a single CPU need not move.
Result<> announce_on_every_cpu(int domain) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return fail(system_error("cannot ask on which CPUs this program may run", errno));
  if (CPU_COUNT(&allowed) == 1) {
    marker::announce(domain);
    return {};
  }
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0)
      return fail(system_error(fmt::format("cannot go to CPU {}", cpu), errno));
    marker::announce(domain);
  }
  if (sched_setaffinity(0, sizeof allowed, &allowed) != 0)
    return fail(system_error("cannot leave the last CPU again", errno));
  return {};
}

}  // namespace

Error Endpoint::serve() {
  while (true) {
    const Result<JsonFields> order = control_.receive(std::chrono::nanoseconds(0));
    if (!order) return order.error();
    const Result<nlohmann::json> answer = obey(*order);
    if (Result<> sent = control_.send(answer ? *answer : error_message(answer.error())); !sent)
      return sent.error();
  }
}

Result<nlohmann::json> Endpoint::obey(const JsonFields& order) {
  const auto what = order.text("do", 32);
  if (!what) return fail(what.error());
  if (*what == "announce") return announce(order);
  if (*what == "listen") return listen(order);
  if (*what == "accept") return accept(order);
  if (*what == "connect") return connect(order);
  if (*what == "run") return run(order);
  if (more_) {
    if (auto answer = more_(*what, order, control_)) return *answer;
  }
  return fail(order.bad(fmt::format("order '{}' is not known", *what)));
}

Result<nlohmann::json> Endpoint::announce(const JsonFields& order) {
  const auto domain = order.number("domain", 0, marker::kMostDomains - 1);
  if (!domain) return fail(domain.error());
  if (Result<> announced = announce_on_every_cpu(static_cast<int>(*domain)); !announced)
    return fail(announced.error());
  return nlohmann::json{{"state", "done"}};
}

Result<nlohmann::json> Endpoint::listen(const JsonFields& order) {
  auto address = address_of(order);
  if (!address) return fail(address.error());
  if (!limits_.host.empty()) *address = {limits_.host, limits_.data_port};
  const auto sockets = setup_of(order);
  if (!sockets) return fail(sockets.error());
  flows_.clear();
  listener_.reset();
  auto listener = tcp_listen(*address, sockets->sockets);
  if (!listener) return fail(listener.error());
  listener_ = std::move(*listener);
  const auto port = tcp_port(listener_.get());
  if (!port) return fail(port.error());
  return nlohmann::json{{"state", "done"}, {"port", *port}};
}

Result<nlohmann::json> Endpoint::accept(const JsonFields& order) {
  const auto setup = setup_of(order);
  if (!setup) return fail(setup.error());
  const auto fixed_ports = order.boolean("fixed_ports");
  if (!fixed_ports) return fail(fixed_ports.error());
  const auto watchdog = watchdog_of(order);
  if (!watchdog) return fail(watchdog.error());
  if (!listener_.valid()) return fail(order.bad("accept before listen"));
  auto flows = accept_flows(listener_.get(), *fixed_ports, *setup, *watchdog);
  if (!flows) return fail(flows.error());
  flows_ = std::move(*flows);
  return nlohmann::json{{"state", "done"}};
}

Result<nlohmann::json> Endpoint::connect(const JsonFields& order) {
  const auto address = address_of(order);
  if (!address) return fail(address.error());
  const auto source_port = order.number("source_port", 0, 65535 - Order::kMostFlows);
  if (!source_port) return fail(source_port.error());
  const auto setup = setup_of(order);
  if (!setup) return fail(setup.error());
  if (!limits_.host.empty()) return fail(order.bad("a server does not connect to others"));
  const auto watchdog = watchdog_of(order);
  if (!watchdog) return fail(watchdog.error());
  flows_.clear();
  auto flows = connect_flows(*address, static_cast<std::uint16_t>(*source_port), *setup, *watchdog);
  if (!flows) return fail(flows.error());
  flows_ = std::move(*flows);
  partner_ = *address;
  return nlohmann::json{{"state", "done"}};
}

Result<nlohmann::json> Endpoint::run(const JsonFields& order) {
  const auto request = RunRequest::from(order);
  if (!request) return fail(request.error());
  if (flows_.size() != static_cast<std::size_t>(request->order.flows))
    return fail(
        order.bad(flows_.empty() ? "run before connect or accept" : "another number of flows was opened"));
  if (flows_[0].datagrams.valid() != is_udp(request->order.kind))
    return fail(order.bad("the flows were opened for another kind of work"));
  if (Result<> armed = control_.send({{"state", "armed"}}); !armed) return fail(armed.error());

  // In the middle of the quiet time: this end's devices may be others' too, who begin at the same moment.
  std::this_thread::sleep_for(request->lead / 2);
  const auto before = read_counters(request->devices);
  if (!before) return fail(before.error());
  std::this_thread::sleep_for(request->lead - request->lead / 2);
  SpanRequest span{request->order, request->initiator, request->window, request->limit, {},
                   on_interval_,   request->marking};
  // The controller says nothing else during the work.
  if (request->stoppable) span.stopped = [this] { return control_.has_news(); };
  auto side = run_span(span, flows_, {listener_.get(), partner_});
  if (request->stoppable && control_.has_news())
    if (Result<> told = take_stop(); !told) return fail(told.error());
  if (!side) return fail(side.error());
  side->side = request->initiator ? "client" : "server";

  std::this_thread::sleep_for(request->trail);
  auto after = read_counters(request->devices);
  if (!after) return fail(after.error());
  const bool ended = request->order.duration.count() != 0;  // such a flow is closed, and never used again
  for (const Flow& flow : flows_) {
    if (ended) break;
    if (Result<> quiet = expect_silence(flow.stream.get(), "after the work"); !quiet)
      return fail(quiet.error());
  }
  if (ended) flows_.clear();

  if (request->hold) {
    if (Result<> told = wait_for_collect(request->silent); !told) return fail(told.error());
    if (!request->silent)
      after = read_counters(request->devices);  // others worked on; what asked is no device's
    if (!after) return fail(after.error());
  }

  RunReport report{std::move(*side), {}};
  for (std::size_t i = 0; i < after->size(); ++i)
    report.devices.push_back(difference((*before)[i], (*after)[i]));
  return report.to_json();
}

Result<> Endpoint::take_stop() {
  const Result<JsonFields> order = control_.receive(std::chrono::seconds(1));
  if (!order) return fail(order.error());
  const auto what = order->text("do", 32);
  if (!what) return fail(what.error());
  if (*what != "stop") return fail(order->bad("another order where only 'stop' was due"));
  return {};
}

Result<> Endpoint::wait_for_collect(bool silent) {
  if (!silent) {
    if (Result<> sent = control_.send({{"state", "ended"}}); !sent) return sent;
  }
  const Result<JsonFields> order = control_.receive(std::chrono::nanoseconds(0));
  if (!order) return fail(order.error());
  const auto what = order->text("do", 32);
  if (!what) return fail(what.error());
  if (*what != "collect") return fail(order->bad("another order where 'collect' was due"));
  return {};
}

}  // namespace vtax
