#include "workload/traffic/endpoint_client.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "core/readable.h"

namespace vtax {
namespace {

// What the endpoint itself bounds gets this much more here, so that its own, better error arrives first.
constexpr std::chrono::seconds kGrace{5};

constexpr std::size_t kMostErrorBytes = 1024;

Result<> without_value(const Result<JsonFields>& answer) {
  if (!answer) return fail(answer.error());
  return {};
}

std::chrono::nanoseconds longest(const RunRequest& request) {
  return request.lead + request.limit + request.order.warmup + request.order.duration + request.trail +
         kGrace;
}

nlohmann::json json_of(const FlowSetup& setup) {
  nlohmann::json out{{"flows", setup.flows}, {"datagrams", setup.datagrams}, {"token", to_text(setup.token)}};
  setup.sockets.write(out);
  return out;
}

}  // namespace

Result<JsonFields> EndpointClient::wait_for(std::string_view state, std::chrono::nanoseconds limit) {
  Result<JsonFields> message = control_.receive(limit);
  if (!message) return message;
  const auto said = message->text("state", 32);
  if (!said) return fail(said.error());
  if (*said == state) return message;
  if (*said != "error") return fail(message->bad(fmt::format("state '{}' where '{}' was due", *said, state)));
  const auto what = message->text("what", kMostErrorBytes);
  const auto why = message->text("why", kMostErrorBytes);
  if (!what) return fail(what.error());
  if (!why) return fail(why.error());
  return fail(control_.cause_of({fmt::format("{}: {}", control_.partner(), printable(*what, kMostErrorBytes)),
                                 printable(*why, kMostErrorBytes), "", ExitCode::trial_failed}));
}

std::optional<std::size_t> EndpointClient::first_with_news(const std::vector<const EndpointClient*>& clients,
                                                           std::chrono::nanoseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    std::vector<pollfd> waiting;
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (clients[i]->control_.has_news()) return i;
      waiting.push_back({clients[i]->control_.descriptor(), POLLIN, 0});
      waiting.push_back({clients[i]->control_.ends(), POLLIN, 0});
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return std::nullopt;
    poll(waiting.data(), waiting.size(), static_cast<int>(std::min<std::int64_t>(left, 1'000'000)));
  }
}

Result<JsonFields> EndpointClient::ask(const nlohmann::json& order, std::chrono::nanoseconds limit,
                                       std::string_view state) {
  if (Result<> sent = control_.send(order); !sent) return fail(sent.error());
  return wait_for(state, limit + kGrace);
}

Result<> EndpointClient::announce(int domain) {
  return without_value(ask({{"do", "announce"}, {"domain", domain}}, {}));
}

Result<std::uint16_t> EndpointClient::listen(const TcpAddress& at, const FlowSetup& setup) {
  const auto answer =
      ask({{"do", "listen"}, {"ipv4", at.host}, {"port", at.port}, {"setup", json_of(setup)}}, {});
  if (!answer) return fail(answer.error());
  const auto port = answer->number("port", 1, 65535);
  if (!port) return fail(port.error());
  return static_cast<std::uint16_t>(*port);
}

Result<> EndpointClient::tell_accept(const FlowSetup& setup, bool fixed_ports,
                                     std::chrono::nanoseconds limit) {
  return control_.send({{"do", "accept"},
                        {"limit_ns", limit.count()},
                        {"fixed_ports", fixed_ports},
                        {"setup", json_of(setup)}});
}

Result<> EndpointClient::connect(const TcpAddress& to, std::uint16_t source_port, const FlowSetup& setup,
                                 std::chrono::nanoseconds limit) {
  const nlohmann::json order{{"do", "connect"},           {"ipv4", to.host},
                             {"port", to.port},           {"source_port", source_port},
                             {"limit_ns", limit.count()}, {"setup", json_of(setup)}};
  return without_value(ask(order, limit));
}

Result<> EndpointClient::start(const RunRequest& request) {
  return without_value(ask(request.to_json(), {}, "armed"));
}

Result<> EndpointClient::stop() {
  control_.end_on_interruption(false);
  return tell({{"do", "stop"}});
}

Result<> EndpointClient::wait_until_ended(const RunRequest& request) {
  return without_value(wait_for("ended", longest(request)));
}

Result<RunReport> EndpointClient::collect(const RunRequest& request) {
  if (Result<> told = tell({{"do", "collect"}}); !told) return fail(told.error());
  return finish(request);
}

Result<RunReport> EndpointClient::finish(const RunRequest& request) {
  const auto message = wait_for("done", longest(request));
  if (!message) return fail(message.error());
  auto report = RunReport::from(*message);
  if (!report) return report;
  const Done done = report->done(), wanted = expected(request.order);
  if (request.order.duration.count() == 0 && !is_udp(request.order.kind) && done != wanted) {
    return fail(message->bad(fmt::format("{} bytes and {} transactions were done, {} and {} were ordered",
                                         done.bytes.value, done.transactions.value, wanted.bytes.value,
                                         wanted.transactions.value)));
  }
  if (report->devices.size() != request.devices.size())
    return fail(message->bad("not the devices that were asked for"));
  for (std::size_t i = 0; i < request.devices.size(); ++i) {
    if (report->devices[i].device != request.devices[i]) {
      return fail(message->bad("not the devices that were asked for"));
    }
  }
  return report;
}

}  // namespace vtax
