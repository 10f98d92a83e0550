#include "workload/endpoint_client.h"

#include <fmt/format.h>

namespace vtax {
namespace {

// What the endpoint itself bounds gets this much more here, so that its own, better error arrives first.
constexpr std::chrono::seconds grace{5};

Result<> without_value(const Result<JsonFields>& answer) {
  if (!answer) return fail(answer.error());
  return {};
}

}  // namespace

Result<JsonFields> EndpointClient::wait_for(std::string_view state, std::chrono::nanoseconds limit) {
  Result<JsonFields> message = control_.receive(limit);
  if (!message) return message;
  const auto said = message->text("state", 32);
  if (!said) return fail(said.error());
  if (*said == state) return message;
  if (*said != "error") return fail(message->bad(fmt::format("state '{}' where '{}' was due", *said, state)));
  const auto what = message->text("what", 512);
  const auto why = message->text("why", 512);
  if (!what) return fail(what.error());
  if (!why) return fail(why.error());
  return fail(Error{fmt::format("{}: {}", control_.partner(), *what), *why, "", ExitCode::trial_failed});
}

Result<JsonFields> EndpointClient::ask(const nlohmann::json& order, std::chrono::nanoseconds limit,
                                       std::string_view state) {
  if (Result<> sent = control_.send(order); !sent) return fail(sent.error());
  return wait_for(state, limit + grace);
}

Result<> EndpointClient::announce(int domain) {
  return without_value(ask({{"do", "announce"}, {"domain", domain}}, {}));
}

Result<> EndpointClient::listen(const TcpAddress& at) {
  return without_value(ask({{"do", "listen"}, {"ipv4", at.ipv4}, {"port", at.port}}, {}));
}

Result<> EndpointClient::accept(std::chrono::nanoseconds limit) {
  return without_value(ask({{"do", "accept"}, {"limit_ns", limit.count()}}, limit));
}

Result<> EndpointClient::connect(const TcpAddress& to, std::uint16_t source_port,
                                 std::chrono::nanoseconds limit) {
  const nlohmann::json order{{"do", "connect"},
                             {"ipv4", to.ipv4},
                             {"port", to.port},
                             {"source_port", source_port},
                             {"limit_ns", limit.count()}};
  return without_value(ask(order, limit));
}

Result<> EndpointClient::start(const RunRequest& request) {
  return without_value(ask(request.to_json(), {}, "armed"));
}

Result<RunReport> EndpointClient::finish(const RunRequest& request) {
  const auto message = wait_for("done", request.lead + request.limit + request.trail + grace);
  if (!message) return fail(message.error());
  auto report = RunReport::from(*message);
  if (!report) return report;
  if (report->done != expected(request.order)) {
    return fail(message->bad(fmt::format("{} bytes and {} transactions were done, {} and {} were ordered",
                                         report->done.bytes.value, report->done.transactions.value,
                                         expected(request.order).bytes.value,
                                         expected(request.order).transactions.value)));
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
