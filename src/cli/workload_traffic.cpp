#include "cli/workload_traffic.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <iostream>
#include <memory>

#include "cli/host_name.h"
#include "cli/measure_options.h"
#include "cli/token_options.h"
#include "core/readable.h"
#include "workload/session/session.h"

namespace vtax {
namespace {

constexpr std::uint16_t kDefaultPort = 5290;

struct Traffic {
  Order order;
  std::string host, token, token_file;
  std::uint16_t port = kDefaultPort;
  std::string duration = "10s", warmup = "1s", interval, patience = "250ms";
  std::string workload;
  std::string direction = "send", pacing = "sleep", copy = "user";
  bool reverse = false;
  double rate = 0;
  bool delay = false;
};

template <class T>
T one_of(const std::string& text, std::initializer_list<std::pair<const char*, T>> names) {
  for (const auto& [name, value] : names)
    if (text == name) return value;
  return names.begin()->second;
}

Result<Order> order_of(const Traffic& traffic, const MeasureOptions& options) {
  Order order = traffic.order;
  const auto warmup = duration_of("--warmup", traffic.warmup);
  const auto patience = duration_of("--patience", traffic.patience);
  for (const auto* one : {&warmup, &patience})
    if (!*one) return fail(one->error());
  if (order.bytes.value == 0 && order.transactions.value == 0) {
    const auto duration = duration_of("--duration", traffic.duration);
    if (!duration) return fail(duration.error());
    if (duration->count() == 0)
      return fail({"nothing to do", "--duration is 0", "for example --duration 10s"});
    order.duration = *duration;
    order.warmup = *warmup;
  }
  const auto interval = interval_of(options, traffic.interval, order.duration);
  if (!interval) return fail(interval.error());
  if (order.duration.count() != 0) order.interval = *interval;
  if (order.kind == WorkKind::udp_rr) order.patience = *patience;
  order.direction = one_of<Direction>(
      traffic.reverse ? "receive" : traffic.direction,
      {{"send", Direction::send}, {"receive", Direction::receive}, {"both", Direction::both}});
  order.copy = one_of<Copy>(
      traffic.copy, {{"user", Copy::user}, {"sendfile", Copy::sendfile}, {"zero-copy", Copy::zero_copy}});
  order.pacing = one_of<Pacing>(traffic.pacing,
                                {{"sleep", Pacing::sleep}, {"spin", Pacing::spin}, {"loop", Pacing::loop}});
  if (traffic.rate < 0 || traffic.rate > 1e15)
    return fail({"no such rate", fmt::format("{} bit/s", traffic.rate), ""});
  order.bits_per_second = static_cast<std::uint64_t>(traffic.rate);
  order.sockets.no_delay = !traffic.delay;
  if (order.direction == Direction::both && order.flows % 2 != 0) order.flows += 1;
  order.latency = !is_stream(order.kind) || order.bits_per_second != 0;
  if (Result<> good = order.check(); !good) return fail(good.error());
  return order;
}

// A rate that was set and not reached is said, with what stood in its way.
void judge_rate(const Order& order, const Repeat& repeat, std::vector<std::string>& warnings) {
  if (order.bits_per_second == 0 || order.duration.count() == 0) return;
  const int senders = order.direction == Direction::both ? order.flows / 2 : order.flows;
  const double asked = static_cast<double>(order.bits_per_second) * senders;
  for (const SideReport& side : repeat) {
    const double reached = side.metrics.at(0).value;
    if (order.direction == Direction::both || reached > 0.99 * asked) continue;
    const double busy = std::chrono::duration<double>(side.cpu.process()).count() /
                        std::chrono::duration<double>(side.duration).count();
    warnings.push_back(
        fmt::format("The rate of {} was not reached: {} at the {}, whose process had {:.0f} % of a CPU{}.",
                    readable_metric(asked, "bit/s"), readable_metric(reached, "bit/s"), side.side, 100 * busy,
                    busy > 0.9 ? " (the CPU is the limit)" : ""));
  }
}

Verb::Action run_with(CLI::App& app, const std::shared_ptr<Traffic>& traffic) {
  const auto options = add_measure_options(app);
  return [traffic, options]() -> Result<ExitCode> {
    const auto order = order_of(*traffic, *options);
    if (!order) return fail(order.error());
    const auto secret = secret_of(traffic->token, traffic->token_file);
    if (!secret) return fail(secret.error());
    const auto host = numeric_host(traffic->host);
    if (!host) return fail(host.error());
    const auto session = Session::open({*host, traffic->port}, *secret);
    if (!session) return fail(session.error());
    Outcome outcome;
    outcome.workload = traffic->workload;
    outcome.options = order->to_json();
    outcome.options["host"] = traffic->host;
    const auto show = printed_intervals(*options, order->interval);
    return measure(
        *options, std::move(outcome), [&]() { return (*session)->run(*order, show); }, {},
        [&](Outcome& done) { judge_rate(*order, done.repeats.back(), done.warnings); });
  };
}

std::shared_ptr<Traffic> common_options(CLI::App& app, WorkKind kind) {
  auto traffic = std::make_shared<Traffic>();
  traffic->order.kind = kind;
  traffic->workload = std::string(name(kind));
  app.add_option("host", traffic->host,
                 "The server: its name, or 192.0.2.7, 2001:db8::7, fe80::1%eth0, localhost")
      ->required();
  app.add_option("--port", traffic->port, "Of the server")->capture_default_str();
  add_secret(app, traffic->token, traffic->token_file);
  app.add_option("-t,--duration", traffic->duration, "Of the measured span")->capture_default_str();
  app.add_option("--warmup", traffic->warmup, "Before it, left out of the figures")->capture_default_str();
  app.add_option(
      "-i,--interval", traffic->interval,
      "Report what was done in each, as it ends; 0: none (default: 1s in text, none in other formats)");
  app.add_option("-P,--flows", traffic->order.flows, "Connections at once, each with its thread")
      ->capture_default_str();
  SocketSettings& sockets = traffic->order.sockets;
  app.add_option("--send-buffer", sockets.send_buffer, "SO_SNDBUF, for example 64K")->transform(sizes());
  app.add_option("--receive-buffer", sockets.receive_buffer, "SO_RCVBUF: the window")->transform(sizes());
  return traffic;
}

void direction_options(CLI::App& app, Traffic& traffic, const std::vector<std::string>& directions) {
  auto* direction =
      app.add_option("-d,--direction", traffic.direction, fmt::format("{}", fmt::join(directions, ", ")))
          ->check(CLI::IsMember(directions))
          ->capture_default_str();
  app.add_flag("-R,--reverse", traffic.reverse, "As --direction receive")->excludes(direction);
}

void tcp_options(CLI::App& app, Traffic& traffic) {
  app.add_option("--congestion", traffic.order.sockets.congestion, "Congestion control")
      ->capture_default_str();
  app.add_option("--mss", traffic.order.sockets.segment_bytes, "Largest segment, payload in bytes");
  app.add_flag("--delay", traffic.delay, "Leave Nagle's algorithm on");
}

void stream_options(CLI::App& app, Traffic& traffic) {
  app.add_option("-n,--bytes", traffic.order.bytes.value, "This much in place of a duration")
      ->transform(sizes());
  direction_options(app, traffic, {"send", "receive", "both"});
  app.add_option("-r,--rate", traffic.rate, "Payload of each flow, bit/s: 941M; as fast as it goes without")
      ->transform(bit_rates());
}

Verb::Action tcp_stream_options(CLI::App& app) {
  auto traffic = common_options(app, WorkKind::tcp_stream);
  traffic->order.write_bytes = 128 * 1024;
  tcp_options(app, *traffic);
  stream_options(app, *traffic);
  app.add_option("-l,--write", traffic->order.write_bytes, "Size of a write")
      ->transform(sizes())
      ->capture_default_str();
  app.add_option("--copy", traffic->copy, "user: write(2); sendfile; zero-copy: MSG_ZEROCOPY")
      ->check(CLI::IsMember({"user", "sendfile", "zero-copy"}))
      ->capture_default_str();
  traffic->order.gather_bytes = 64 * 1024;
  app.add_option("--gather", traffic->order.gather_bytes,
                 "The receiver sleeps until so much waits, unless a rate is set; 0: until anything does")
      ->transform(sizes())
      ->capture_default_str();
  app.add_flag("--discard", traffic->order.discard, "The receiver drops the payload without copying it");
  return run_with(app, traffic);
}

Verb::Action udp_stream_options(CLI::App& app) {
  auto traffic = common_options(app, WorkKind::udp_stream);
  traffic->order.write_bytes = 1448;
  stream_options(app, *traffic);
  app.add_option("-l,--write", traffic->order.write_bytes, "Payload of a datagram")
      ->transform(sizes())
      ->capture_default_str();
  app.add_flag("--batch", traffic->order.batch,
               "Many datagrams at once through the kernel (UDP_SEGMENT, UDP_GRO)");
  app.add_option("--pacing", traffic->pacing, "How a rate is kept: sleep, spin, loop")
      ->check(CLI::IsMember({"sleep", "spin", "loop"}))
      ->capture_default_str();
  return run_with(app, traffic);
}

Verb::Action exchange_options(CLI::App& app, WorkKind kind) {
  auto traffic = common_options(app, kind);
  const std::uint64_t least = kind == WorkKind::udp_rr ? 8 : 1;
  traffic->order.request_bytes = traffic->order.response_bytes = least;
  if (kind != WorkKind::udp_rr) tcp_options(app, *traffic);
  app.add_option("-n,--transactions", traffic->order.transactions.value, "This many in place of a duration");
  app.add_option("--request", traffic->order.request_bytes, "Payload")
      ->transform(sizes())
      ->capture_default_str();
  app.add_option("--response", traffic->order.response_bytes, "Payload")
      ->transform(sizes())
      ->capture_default_str();
  if (kind != WorkKind::tcp_crr)
    app.add_option("--in-flight", traffic->order.in_flight, "Exchanges under way at once on a flow")
        ->capture_default_str();
  if (kind == WorkKind::udp_rr)
    app.add_option("--patience", traffic->patience, "An answer that takes longer is lost")
        ->capture_default_str();
  return run_with(app, traffic);
}

Verb::Action paced_options(CLI::App& app) {
  auto traffic = common_options(app, WorkKind::tcp_stream);
  tcp_options(app, *traffic);
  traffic->workload = "paced";
  traffic->order.separate = true;
  traffic->order.write_bytes = 1448;
  traffic->rate = 100e6;
  app.add_option("-l,--packet", traffic->order.write_bytes,
                 "Payload of a packet: 500, 1000, 1448 in the dissertation")
      ->transform(sizes())
      ->capture_default_str();
  app.add_option("-r,--rate", traffic->rate, "Payload, bit/s")->transform(bit_rates());
  direction_options(app, *traffic, {"send", "receive"});
  traffic->pacing = "spin";
  app.add_option(
         "--pacing", traffic->pacing,
         "spin: by the clock; loop: a calibrated empty loop after each packet; sleep: cheap, in bursts")
      ->check(CLI::IsMember({"sleep", "spin", "loop"}))
      ->capture_default_str();
  return run_with(app, traffic);
}

Verb::Action server_options(CLI::App& app) {
  struct Options {
    ServerOptions server;
    std::string token, token_file, lifetime;
  };
  auto options = std::make_shared<Options>();
  options->server.port = kDefaultPort;
  app.add_option("--bind", options->server.host,
                 "Address to listen on (0.0.0.0 or :: is every network); there is no default")
      ->required();
  app.add_option("--port", options->server.port, "Of the control connections; 0: any")->capture_default_str();
  app.add_option("--data-port", options->server.data_port, "Of the flows (any without): for firewalls");
  add_secret(app, options->token, options->token_file);
  app.add_option("--for", options->lifetime, "End by itself after this time");
  app.add_option("--sessions", options->server.most_sessions, "At once")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  return [options]() -> Result<ExitCode> {
    if (Result<> good = no_token_in_arguments(options->token); !good) return fail(good.error());
    if (!options->lifetime.empty()) {
      const auto lifetime = duration_of("--for", options->lifetime);
      if (!lifetime) return fail(lifetime.error());
      options->server.lifetime = *lifetime;
    }
    const bool given = !options->token_file.empty() || std::getenv("VTAX_TOKEN") != nullptr;
    const auto secret = given ? secret_of(options->token, options->token_file) : Secret::make();
    if (!secret) return fail(secret.error());
    if (!given) std::cout << "token " << secret->text() << std::endl;
    const Result<> served = serve_sessions(options->server, *secret, [](const std::string& event) {
      std::cout << printable_lines(event) << std::endl;
    });
    if (!served) return fail(served.error());
    return ExitCode::ok;
  };
}

}  // namespace

Verb tcp_stream_verb() {
  return {"tcp-stream", "Bulk transfer over TCP",
          "VTAX_TOKEN=... vtax workload tcp-stream 192.0.2.7 --duration 10s\n"
          "  vtax workload tcp-stream 192.0.2.7 --token-file F --direction both --repeat 3,30",
          tcp_stream_options};
}

Verb udp_stream_verb() {
  return {"udp-stream", "Datagrams one way: rate, loss, order, jitter",
          "vtax workload udp-stream 192.0.2.7 --token-file F --rate 500M --write 1448", udp_stream_options};
}

Verb tcp_rr_verb() {
  return {"tcp-rr", "Request and response over a connection that stays",
          "vtax workload tcp-rr 192.0.2.7 --token-file F --request 100 --response 4K --in-flight 8",
          [](CLI::App& app) { return exchange_options(app, WorkKind::tcp_rr); }};
}

Verb udp_rr_verb() {
  return {"udp-rr", "Request and response in datagrams", "vtax workload udp-rr 192.0.2.7 --token-file F",
          [](CLI::App& app) { return exchange_options(app, WorkKind::udp_rr); }};
}

Verb tcp_crr_verb() {
  return {"tcp-crr", "Connect, request, response, close", "vtax workload tcp-crr 192.0.2.7 --token-file F",
          [](CLI::App& app) { return exchange_options(app, WorkKind::tcp_crr); }};
}

Verb paced_verb() {
  return {"paced", "Packets of one size at a set rate, each on its own",
          "vtax workload paced 192.0.2.7 --token-file F --packet 500 --rate 50M --pacing loop",
          paced_options};
}

Verb server_verb() {
  return {"server", "The other side of the workloads that need one",
          "vtax workload server --bind 192.0.2.7\n  VTAX_TOKEN=... vtax workload server --bind 127.0.0.1 "
          "--for 10m",
          server_options};
}

}  // namespace vtax
