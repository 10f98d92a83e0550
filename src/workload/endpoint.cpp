#include "workload/endpoint.h"

#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <thread>

#include "workload/generator.h"
#include "workload/marker.h"
#include "workload/socket_io.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t most_limit_ns = 3'600'000'000'000;

nlohmann::json error_answer(const Error& error) {
  return {{"state", "error"}, {"what", error.what}, {"why", error.why}};
}

Result<Watchdog> watchdog_of(const JsonFields& order) {
  const auto limit = order.number("limit_ns", 1, most_limit_ns);
  if (!limit) return fail(limit.error());
  return Watchdog::start(std::chrono::nanoseconds(*limit));
}

Result<TcpAddress> address_of(const JsonFields& order) {
  const auto ipv4 = order.text("ipv4", 16);
  if (!ipv4) return fail(ipv4.error());
  const auto port = order.number("port", 1, 65535);
  if (!port) return fail(port.error());
  return TcpAddress{*ipv4, static_cast<std::uint16_t>(*port)};
}

}  // namespace

Error Endpoint::serve() {
  while (true) {
    const Result<JsonFields> order = control_.receive(std::chrono::nanoseconds(0));
    if (!order) return order.error();
    const Result<nlohmann::json> answer = obey(*order);
    if (Result<> sent = control_.send(answer ? *answer : error_answer(answer.error())); !sent)
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
    if (auto answer = more_(*what, order)) return *answer;
  }
  return fail(order.bad(fmt::format("order '{}' is not known", *what)));
}

Result<nlohmann::json> Endpoint::announce(const JsonFields& order) {
  const auto domain = order.number("domain", 0, marker::most_domains - 1);
  if (!domain) return fail(domain.error());
  marker::announce(static_cast<int>(*domain));
  return nlohmann::json{{"state", "done"}};
}

Result<nlohmann::json> Endpoint::listen(const JsonFields& order) {
  const auto address = address_of(order);
  if (!address) return fail(address.error());
  auto listener = tcp_listen(*address);
  if (!listener) return fail(listener.error());
  listener_ = std::move(*listener);
  return nlohmann::json{{"state", "done"}};
}

Result<nlohmann::json> Endpoint::accept(const JsonFields& order) {
  const auto watchdog = watchdog_of(order);
  if (!watchdog) return fail(watchdog.error());
  if (!listener_.valid()) return fail(order.bad("accept before listen"));
  auto connection = tcp_accept(listener_.get(), *watchdog);
  if (!connection) return fail(connection.error());
  connection_ = std::move(*connection);
  listener_.reset();
  return nlohmann::json{{"state", "done"}};
}

Result<nlohmann::json> Endpoint::connect(const JsonFields& order) {
  const auto address = address_of(order);
  if (!address) return fail(address.error());
  const auto source_port = order.number("source_port", 0, 65535);
  if (!source_port) return fail(source_port.error());
  const auto watchdog = watchdog_of(order);
  if (!watchdog) return fail(watchdog.error());
  auto connection = tcp_connect(*address, static_cast<std::uint16_t>(*source_port), *watchdog);
  if (!connection) return fail(connection.error());
  connection_ = std::move(*connection);
  return nlohmann::json{{"state", "done"}};
}

Result<nlohmann::json> Endpoint::run(const JsonFields& order) {
  const auto request = RunRequest::from(order);
  if (!request) return fail(request.error());
  if (!connection_.valid()) return fail(order.bad("run before connect or accept"));
  const std::unique_ptr<Generator> generator = make_generator(request->order);
  if (Result<> armed = control_.send({{"state", "armed"}}); !armed) return fail(armed.error());

  std::this_thread::sleep_for(request->lead);
  const auto before = read_counters(request->devices);
  if (!before) return fail(before.error());
  const auto watchdog = Watchdog::start(request->limit);
  if (!watchdog) return fail(watchdog.error());

  const int fd = connection_.get();
  const bool window = request->window && request->initiator;
  const Clock::time_point start = Clock::now();
  if (window) marker::begin_window();
  const Result<Done> done =
      request->initiator ? generator->initiate(fd, *watchdog) : generator->respond(fd, *watchdog);
  if (window) marker::end_window();
  const Clock::time_point end = Clock::now();
  if (!done) return fail(done.error());

  std::this_thread::sleep_for(request->trail);
  const auto after = read_counters(request->devices);
  if (!after) return fail(after.error());
  if (Result<> quiet = expect_silence(fd, "after the work"); !quiet) return fail(quiet.error());

  RunReport report{*done, end - start, {}};
  for (std::size_t i = 0; i < after->size(); ++i)
    report.devices.push_back(difference((*before)[i], (*after)[i]));
  return report.to_json();
}

}  // namespace vtax
