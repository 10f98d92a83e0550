#include "subject/workload_table.h"

#include <algorithm>

#include "core/units.h"
#include "subject/factor_rows.h"

namespace vtax {
namespace {

using namespace rows;
using Spec = TrialSpec;

// A workload's own factors are the agent's and the host's.
Factor own(Factor factor, std::string_view fallback) {
  factor.fallback = fallback;
  factor.readers = {.plan = true, .host = true};
  return factor;
}

// An amount of work, of which --quick leaves no less than `least`.
Factor amount(Factor factor, std::string_view fallback, std::uint64_t least) {
  factor.quick_least = least;
  return own(std::move(factor), fallback);
}

Factor direction(std::string_view help) {
  return own(either<&Spec::system_initiates>("direction", {"receive", false}, {"send", true}, help),
             "receive");
}

std::vector<Factor> stream_factors(std::vector<Factor> its) {
  std::vector<Factor> all{
      amount(bytes<&Spec::bytes>("bytes", 1, 16 * kGiB, "payload of the window"), "8388608", kMiB),
      direction("what the system under test does"),
      own(bytes<&Spec::warmup_bytes>("warmup_bytes", 0, 16 * kGiB, "payload sent before the window"),
          "1048576")};
  all.insert(all.begin() + 1, its.begin(), its.end());
  return all;
}

std::vector<Factor> exchange_factors(std::uint64_t least, std::uint64_t most, std::string_view fallback) {
  return {amount(count<&Spec::transactions>("transactions", 1, 100'000'000, "exchanges in the window"), "500",
                 100),
          own(bytes<&Spec::request_bytes>("request_bytes", least, most, "payload of a request"), fallback),
          own(bytes<&Spec::response_bytes>("response_bytes", least, most, "payload of a response"), fallback),
          direction("receive: the system serves; send: it asks"),
          own(count<&Spec::warmup_transactions>("warmup_transactions", 0, 100'000'000,
                                                "exchanges before the window"),
              "50")};
}

Factor write_bytes(std::uint64_t least, std::uint64_t most, std::string_view fallback,
                   std::string_view help) {
  return own(bytes<&Spec::write_bytes>("write_bytes", least, most, help), fallback);
}

std::vector<Factor> http_factors() {
  return {amount(count<&Spec::requests>("requests", 1, 1'000'000, "answered in the window"), "200", 100),
          own(count<&Spec::connections>("connections", 1, 128, "at once"), "1"),
          own(count<&Spec::requests_per_connection>("requests_per_connection", 1, 10'000,
                                                    "then another one takes its place"),
              "1"),
          own(either<&Spec::file_set>("files", {"one", false}, {"set", true},
                                      "one: of file_bytes; set: SPECweb99's, by their popularity"),
              "one"),
          own(bytes<&Spec::file_bytes>("file_bytes", 0, 16 * kMiB,
                                       "content of a response (the default: the set's mean)"),
              "14746"),
          own(count<&Spec::connections_per_second>("connections_per_second", 0, 100'000,
                                                   "opened, in virtual time; 0: as fast as it goes"),
              "0"),
          direction("receive: the system serves; send: it asks"),
          own(count<&Spec::warmup_requests>("warmup_requests", 0, 1'000'000, "answered before the window"),
              "20")};
}

std::vector<Factor> disk_factors() {
  return {
      amount(bytes<&Spec::bytes>("bytes", 512, 4 * kGiB,
                                 "read or written, in whole blocks; beyond the disk's 32 MiB from its begin "
                                 "again"),
             "4194304", kMiB),
      own(bytes<&Spec::block_bytes>("block_bytes", 512, kMiB, "of one read or write; a multiple of 512 B"),
          "512"),
      own(either<&Spec::writes>("operation", {"write", true}, {"read", false},
                                "what the system under test does"),
          "write"),
      own(either<&Spec::random>("pattern", {"sequential", false}, {"random", true},
                                "random: each block once, in a fixed order"),
          "sequential"),
      own(either<&Spec::direct>("direct", {"off", false}, {"on", true}, "on: past the page cache"), "off"),
      own(either<&Spec::in_tmpdir>("store", {"memory", false}, {"tmpdir", true},
                                   "memory: the lab's disk, or on machine host a file in memory; tmpdir: on "
                                   "machine host, where it is usual, a file in $TMPDIR or /var/tmp"),
          "memory")};
}

// Lengths: of a command line, of a name of a file, of a pattern.
std::vector<Factor> program_factors() {
  return {
      own(line<&Spec::packages>(FactorType::words, "packages", 500,
                                "of the distribution, that hold the program; with what they depend on"),
          ""),
      own(line<&Spec::files>(FactorType::text, "files", 500,
                             "a folder that becomes the program's root, an image of a container "
                             "(oci:FOLDER), or one static program; over the packages"),
          ""),
      own(line<&Spec::prepare>(FactorType::text, "prepare", 1000,
                               "command that runs once, before the server or the client that is alone, in "
                               "the folder that they work in"),
          ""),
      own(line<&Spec::user>(FactorType::text, "user", 32,
                            "whose rights the commands have: root, program (who has none), or a name of "
                            "the program's /etc/passwd"),
          "root"),
      own(line<&Spec::server>(FactorType::text, "server", 1000,
                              "command that runs as long as the client does; none: the client is alone"),
          ""),
      own(line<&Spec::ready>(FactorType::text, "ready", 200,
                             "when the server is: `port 6379`, `output some words`, `seconds 2`"),
          "seconds 1"),
      own(line<&Spec::client>(FactorType::text, "client", 1000,
                              "command whose run is measured; `{server}` is the server's address"),
          ""),
      own(either<&Spec::marks_window>("window", {"run", false}, {"marks", true},
                                      "what of the client's run is measured: all of it, or what it marks "
                                      "itself, by `begin` and `end` to the descriptor VTAX_WINDOW"),
          "run"),
      own(line<&Spec::operations>(FactorType::text, "operations", 200,
                                  "how many the client does: a number, or a pattern whose first group is "
                                  "the number in what it prints"),
          "1"),
      direction("receive: the system has the server, or the client that is alone; send: its partner has "
                "the server"),
      own(either<&Spec::warms_up>("warmup", {"on", true}, {"off", false},
                                  "on: a run of the client before the window"),
          "on"),
      own(count<&Spec::limit_seconds>("limit_seconds", 1, 3000,
                                      "of the machine's time that a run of the client may take"),
          "60")};
}

}  // namespace

const std::vector<WorkloadKind>& workloads() {
  constexpr std::uint64_t kDatagram = 65507;
  static const std::vector<WorkloadKind> all{
      {WorkloadId::tcp_stream, "tcp-stream", "a fixed number of bytes over one TCP connection",
       stream_factors({write_bytes(1, 64 * kMiB, "65536", "payload of one write by the sender")})},
      {WorkloadId::udp_stream, "udp-stream",
       "a fixed number of bytes in datagrams at a set rate; a lost one fails the trial",
       stream_factors({write_bytes(16, kDatagram, "1448", "payload of a datagram"),
                       own(count<&Spec::rate_mbps>("rate_mbps", 0, 100'000,
                                                   "payload, Mb/s of virtual time; 0: as fast as it goes"),
                           "100")})},
      {WorkloadId::tcp_rr, "tcp-rr", "one request, one response, over one TCP connection, one at a time",
       exchange_factors(1, kMiB, "1")},
      {WorkloadId::udp_rr, "udp-rr", "one request, one response, in datagrams, one at a time",
       exchange_factors(8, kDatagram, "8")},
      {WorkloadId::tcp_crr, "tcp-crr", "connect, one request, one response, close, one at a time",
       exchange_factors(1, kMiB, "1")},
      {WorkloadId::http, "http", "a fixed number of requests to a web server", http_factors()},
      {WorkloadId::memory,
       "memory",
       "STREAM's four kernels over three arrays, without traffic",
       {own(bytes<&Spec::array_bytes>("array_bytes", 4096, 32 * kMiB, "each of the three"), "4194304"),
        own(count<&Spec::rounds>("rounds", 2, 1000, "copy, scale, add and triad, one after the other"), "5")},
       false},
      {WorkloadId::linpack,
       "linpack",
       "dense systems of equations, without traffic",
       {own(count<&Spec::size>("size", 2, 1000, "equations of a system"), "100"),
        own(either<&Spec::single_precision>("precision", {"single", true}, {"double", false},
                                            "of the arithmetic"),
            "single"),
        own(count<&Spec::systems>("systems", 1, 1'000'000, "solved in the window"), "20")},
       false},
      {WorkloadId::cpu_loop,
       "cpu-loop",
       "an integer loop (xorshift), without traffic",
       {amount(count<&Spec::iterations>("iterations", 1, 10'000'000'000, "of the loop"), "10000000",
               1'000'000)},
       false},
      {WorkloadId::compile,
       "compile",
       "a C compiler at work on a real program, without traffic",
       {amount(
            count<&Spec::compiles>("compiles", 1, 16,
                                   "compilers that work at once in each system, each on all of the source"),
            "1", 2),
        own(word<&Spec::source>(
                FactorType::choice, "source", {"stb_perlin", "stb_sprintf", "stb_image_write"},
                "what is compiled, of the package libstb-dev: a short program, a longer one, the "
                "longest"),
            "stb_perlin")},
       false,
       false,
       true},
      {WorkloadId::disk, "disk", "a fixed number of bytes of a block device, without traffic", disk_factors(),
       false, true},
      {WorkloadId::program, "program", "any program: a client with its server, or one alone",
       program_factors(), true, false, false, true},
  };
  return all;
}

const WorkloadKind& workload_of(WorkloadId id) {
  return *std::find_if(workloads().begin(), workloads().end(),
                       [&](const WorkloadKind& kind) { return kind.id == id; });
}

std::string_view amount_of(WorkloadId id) {
  switch (id) {
    case WorkloadId::tcp_stream:
    case WorkloadId::udp_stream:
    case WorkloadId::disk:
      return "bytes";
    case WorkloadId::tcp_rr:
    case WorkloadId::udp_rr:
    case WorkloadId::tcp_crr:
      return "transactions";
    case WorkloadId::http:
      return "requests";
    case WorkloadId::memory:
      return "rounds";
    case WorkloadId::linpack:
      return "systems";
    case WorkloadId::cpu_loop:
      return "iterations";
    case WorkloadId::compile:
      return "compiles";
    case WorkloadId::program:
      break;
  }
  return "";
}

const WorkloadKind* find_workload(std::string_view name) {
  const auto& all = workloads();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const WorkloadKind& kind) { return kind.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace vtax
