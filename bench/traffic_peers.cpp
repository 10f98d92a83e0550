// vtax's TCP and UDP generators against iperf3, iperf 2 and sockperf: pairs, interleaved, over loopback; the
// server on the first CPU that this process may use, the client on the last.
//
//   traffic_peers [PAIRS [SECONDS [iperf3]]]      10 pairs of 2 s without; iperf3: its protocol alone
//
// CPU is that of both sides' processes together: as each program reports it of itself (vtax, iperf3), else
// the client's getrusage and the server's schedstat.

#include <fmt/format.h>
#include <cstdlib>

#include <nlohmann/json.hpp>
#include <thread>

#include "bench/pairs.h"

namespace vtax::bench {
namespace {

using nlohmann::json;

constexpr int kVtaxPort = 5291, kIperf3Port = 5292, kIperfPort = 5293, kSockperfPort = 5294;
constexpr int kProtocolPort = 5296;  // and the next
constexpr char kToken[] = "token-of-the-bench";

PeerProgram start(const Pairs& pairs, const Arguments& arguments) {
  auto server = must(PeerProgram::start(arguments, pairs.server_cpu));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  if (server.ended()) give_up(arguments[0] + " does not serve:\n" + server.output());
  return server;
}

json parsed(const std::string& text) {
  const auto begin = text.find('{');
  json out = begin == std::string::npos ? json() : json::parse(text.substr(begin), nullptr, false);
  if (!out.is_object()) give_up("no JSON in:\n" + text);
  return out;
}

// Per bit of payload that arrived for streams, per transaction else.
Sample vtax(const Pairs& pairs, Arguments mode) {
  Arguments arguments{VTAX_BINARY, "workload"};
  arguments.insert(arguments.end(), mode.begin(), mode.end());
  for (const std::string& word :
       {std::string("127.0.0.1"), std::string("--port"), std::to_string(kVtaxPort), std::string("--warmup"),
        std::string("0"), std::string("--duration"), fmt::format("{}s", pairs.seconds),
        std::string("--format"), std::string("json")})
    arguments.push_back(word);
  const json sides = parsed(run(pairs, arguments).out)["repeats"][0]["sides"];
  double cpu = 0;
  for (const json& side : sides)
    cpu += side["cpu"]["user_ns"].get<double>() + side["cpu"]["system_ns"].get<double>();
  const double seconds = sides[0]["duration_ns"].get<double>() * 1e-9;
  const double transactions = sides[0]["work"]["transactions"].get<double>();
  const double work = transactions > 0 ? transactions : sides[0]["work"]["bytes"].get<double>() * 8;
  return {work / seconds, cpu * 1e-9 / work};
}

// From the JSON of iperf3's client, or of vtax in its place.
Sample iperf3_sample(const std::string& out) {
  const json end = parsed(out)["end"];
  const bool udp = end.contains("sum");
  const json& sum = udp ? end["sum"] : end["sum_received"];
  const double seconds = sum["seconds"].get<double>();
  double bits = sum["bytes"].get<double>() * 8;
  if (udp) bits *= 1 - sum["lost_percent"].get<double>() / 100;
  const double share = (end["cpu_utilization_percent"]["host_total"].get<double>() +
                        end["cpu_utilization_percent"]["remote_total"].get<double>()) /
                       100;
  return {bits / seconds, share * seconds / bits};
}

Sample iperf3(const Pairs& pairs, const Arguments& mode) {
  Arguments arguments{needed("iperf3"),
                      "-c",
                      "127.0.0.1",
                      "-p",
                      std::to_string(kIperf3Port),
                      "-J",
                      "-t",
                      std::to_string(pairs.seconds)};
  arguments.insert(arguments.end(), mode.begin(), mode.end());
  return iperf3_sample(run(pairs, arguments).out);
}

// iperf3's protocol with vtax or the stock program in each role, beside the stock program in both.
void measure_protocol(const Pairs& pairs) {
  const Units bits{"Gb/s", "ns CPU/KB", 1e9, 1e-9 / 8192};
  const auto ours =
      start(pairs, {VTAX_BINARY, "workload", "iperf3-server", "--port", std::to_string(kProtocolPort)});
  const auto theirs =
      start(pairs, {needed("iperf3"), "-s", "-B", "127.0.0.1", "-p", std::to_string(kProtocolPort + 1)});
  const auto client = [&](bool vtax_client, bool vtax_server, Arguments mode) {
    // A stock server needs a moment after a test before it takes the next.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const std::string port = std::to_string(kProtocolPort + (vtax_server ? 0 : 1));
    const std::string seconds = std::to_string(pairs.seconds);
    Arguments arguments =
        vtax_client ? Arguments{VTAX_BINARY, "workload", "iperf3-client", "127.0.0.1",  "--port", port,
                                "--delay",   "--format", "iperf3",        "--duration", seconds}
                    : Arguments{needed("iperf3"), "-c", "127.0.0.1", "-p", port, "-J", "-t", seconds};
    arguments.insert(arguments.end(), mode.begin(), mode.end());
    return iperf3_sample(run(pairs, arguments).out);
  };
  heading("iperf3's protocol", "iperf3 in both roles", bits);
  struct Mode {
    std::string name;
    Arguments us, them;
  };
  for (const Mode& mode : {Mode{"TCP", {}, {}}, Mode{"TCP, reverse", {"--reverse"}, {"-R"}},
                           Mode{"UDP, 1448 bytes", {"--udp"}, {"-u", "-b", "0", "-l", "1448"}}}) {
    const auto row = [&](const std::string& who, bool vtax_client, bool vtax_server) {
      compare(
          pairs, mode.name + ": " + who,
          [&] { return client(vtax_client, vtax_server, vtax_client ? mode.us : mode.them); },
          [&] { return client(false, false, mode.them); }, bits);
    };
    row("vtax serves", false, true);
    row("vtax asks", true, false);
    row("vtax in both roles", true, true);
  }
}

Sample iperf(const Pairs& pairs, const PeerProgram& server, const Arguments& mode) {
  Arguments arguments{needed("iperf"),
                      "-c",
                      "127.0.0.1",
                      "-p",
                      std::to_string(kIperfPort),
                      "-f",
                      "k",
                      "-t",
                      std::to_string(pairs.seconds)};
  arguments.insert(arguments.end(), mode.begin(), mode.end());
  const auto before = server.cpu();
  const auto end = run(pairs, arguments);
  const double rate = number_in(end.out, "([0-9.]+) Kbits/sec") * 1000;
  const double cpu = std::chrono::duration<double>(end.cpu + server.cpu() - before).count();
  return {rate, cpu / (rate * pairs.seconds)};
}

Sample sockperf(const Pairs& pairs, const PeerProgram& server, int port, const Arguments& mode) {
  Arguments arguments{needed("sockperf"),   "ping-pong", "-i", "127.0.0.1", "-p",
                      std::to_string(port), "-m",        "14", "-t",        std::to_string(pairs.seconds)};
  arguments.insert(arguments.end(), mode.begin(), mode.end());
  const auto before = server.cpu();
  const auto end = run(pairs, arguments);
  const double all = number_in(end.out, "ReceivedMessages=([0-9]+)");  // the warm-up's too, as the CPU is
  const double cpu = std::chrono::duration<double>(end.cpu + server.cpu() - before).count();
  const double rate = number_in(end.out, "Valid Duration\\][^;]*;[^;]*; ReceivedMessages=([0-9]+)") /
                      number_in(end.out, "Valid Duration\\] RunTime=([0-9.]+)");
  return {rate, cpu / all};
}

void measure(const Pairs& pairs) {
  const Units bits{"Gb/s", "ns CPU/KB", 1e9, 1e-9 / 8192};
  const Units exchanges{"1/s", "us CPU/transaction", 1, 1e-6};
  const auto ours = start(
      pairs, {VTAX_BINARY, "workload", "server", "--bind", "127.0.0.1", "--port", std::to_string(kVtaxPort)});
  {
    const auto server =
        start(pairs, {needed("iperf3"), "-s", "-B", "127.0.0.1", "-p", std::to_string(kIperf3Port)});
    heading("streams", "iperf3", bits);
    const auto row = [&](const std::string& name, const Arguments& us, const Arguments& them) {
      compare(
          pairs, name, [&] { return vtax(pairs, us); }, [&] { return iperf3(pairs, them); }, bits);
    };
    row("TCP, 128 KB writes", {"tcp-stream"}, {"-C", "cubic"});
    row("TCP, 1448-byte writes", {"tcp-stream", "--write", "1448"}, {"-C", "cubic", "-l", "1448", "-N"});
    row("TCP, sendfile", {"tcp-stream", "--copy", "sendfile"}, {"-C", "cubic", "-Z"});
    row("UDP, 1448 bytes, as fast as it goes", {"udp-stream"}, {"-u", "-b", "0", "-l", "1448"});
    row("the same, vtax --batch", {"udp-stream", "--batch"}, {"-u", "-b", "0", "-l", "1448"});
    row("UDP, 1448 bytes, 200 Mb/s", {"udp-stream", "--rate", "200M"}, {"-u", "-b", "200M", "-l", "1448"});
  }
  {
    const auto server =
        start(pairs, {needed("iperf"), "-s", "-B", "127.0.0.1", "-p", std::to_string(kIperfPort)});
    heading("streams", "iperf 2", bits);
    compare(
        pairs, "TCP, 128 KB writes", [&] { return vtax(pairs, {"tcp-stream"}); },
        [&] {
          return iperf(pairs, server, {"-l", "128K", "-Z", "cubic"});
        },
        bits);
  }
  heading("exchanges, 14 bytes", "sockperf", exchanges);
  for (const bool tcp : {true, false}) {
    const int port = kSockperfPort + (tcp ? 1 : 0);
    const Arguments transport = tcp ? Arguments{"--tcp"} : Arguments{};
    Arguments serve{needed("sockperf"), "server", "-i", "127.0.0.1", "-p", std::to_string(port)};
    serve.insert(serve.end(), transport.begin(), transport.end());
    const auto server = start(pairs, serve);
    compare(
        pairs, tcp ? "TCP" : "UDP",
        [&] {
          return vtax(pairs, {tcp ? "tcp-rr" : "udp-rr", "--request", "14", "--response", "14"});
        },
        [&] { return sockperf(pairs, server, port, transport); }, exchanges);
  }
}

}  // namespace
}  // namespace vtax::bench

int main(int argc, char** argv) {
  setenv("VTAX_TOKEN", vtax::bench::kToken, 1);  // of both sides
  const auto pairs = vtax::bench::read_pairs(argc, argv);
  if (argc < 4) vtax::bench::measure(pairs);
  vtax::bench::measure_protocol(pairs);
  return 0;
}
