#include "study/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/cache_shape.h"
#include "core/readable.h"
#include "study/suggest.h"

namespace vtax {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<SizeUnit, 4> kSizeUnits{{{"B", 1}, {"KiB", kKiB}, {"MiB", kMiB}, {"GiB", kGiB}}};

Factor choice(std::string_view name, std::vector<std::string_view> choices, std::string_view fallback,
              std::string_view help) {
  return {name, FactorType::choice, help, fallback, std::move(choices), 0, 0};
}

Factor bytes(std::string_view name, std::uint64_t low, std::uint64_t high, std::string_view fallback,
             std::string_view help) {
  return {name, FactorType::bytes, help, fallback, {}, low, high};
}

Factor count(std::string_view name, std::uint64_t low, std::uint64_t high, std::string_view fallback,
             std::string_view help) {
  return {name, FactorType::count, help, fallback, {}, low, high};
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// The digits at the front of `text`, which loses them; nothing when there are none or too many.
std::optional<std::uint64_t> leading_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

Error bad_value(const Factor& factor, std::string_view text, std::string next) {
  return {"", fmt::format("'{}' is not a value of '{}'", printable(text), factor.name), std::move(next)};
}

Result<std::string> in_range(const Factor& factor, std::string_view text,
                             std::optional<std::uint64_t> value) {
  if (!value || *value < factor.low || *value > factor.high) {
    return fail({"", fmt::format("'{}' is out of range for '{}'", printable(text), factor.name),
                 "allowed: " + allowed_values(factor)});
  }
  return std::to_string(*value);
}

Result<std::string> canonical_bytes(const Factor& factor, std::string_view text) {
  std::string_view rest = trimmed(text);
  if (rest.empty() || rest.front() < '0' || rest.front() > '9') {
    return fail(bad_value(factor, text, "write bytes, or a size such as \"64 KiB\" or \"8 MiB\""));
  }
  const auto number = leading_number(rest);
  if (!number) return in_range(factor, text, number);
  rest = trimmed(rest);
  if (rest.empty()) return in_range(factor, text, number);
  for (const SizeUnit& unit : kSizeUnits) {
    if (rest != unit.name) continue;
    std::uint64_t value = 0;
    const bool overflow = __builtin_mul_overflow(*number, unit.bytes, &value);
    return in_range(factor, text, overflow ? std::nullopt : std::optional(value));
  }
  return fail(bad_value(factor, text, "units: B, KiB, MiB, GiB (1024 each; KB and MB mean two things)"));
}

Result<std::string> canonical_count(const Factor& factor, std::string_view text) {
  std::string_view rest = trimmed(text);
  if (rest.empty() || rest.find_first_not_of("0123456789") != std::string_view::npos) {
    return fail(bad_value(factor, text, "write a whole number; allowed: " + allowed_values(factor)));
  }
  return in_range(factor, text, leading_number(rest));
}

}  // namespace

const std::vector<PlatformKind>& platforms() {
  static const std::vector<PlatformKind> all{
      {"native", "the kernel on the machine itself: what everything else is compared with"},
      {"container", "network namespaces joined by veth and a bridge, one kernel"},
      {"xen-pv", "a paravirtual Xen guest: netfront, netback, and a bridge in Domain-0"},
      {"xen-pvh", "a Xen guest on the CPU's virtualisation with nested paging; devices as xen-pv"},
      {"xen-hvm", "a fully virtualised Xen guest: QEMU in Domain-0 emulates its machine and its e1000 card"},
      {"xen-hvm-pv", "the same, but the guest has paravirtual drivers: netfront and netback"},
      {"kvm", "a guest of Linux with KVM and QEMU: virtio-net, vhost-net, tap, and a bridge in the host"},
      {"kvm-qemu", "the same, but QEMU moves the packets between tap and guest, not vhost-net"},
      {"uml", "User Mode Linux: a kernel that is a program; its card is a tap (machine host alone)", false},
      {"qemu", "a guest that QEMU emulates (TCG): virtio-net on a tap (machine host alone)", false},
  };
  return all;
}

const std::vector<std::string_view>& machines() {
  static const std::vector<std::string_view> all{"lab", "host"};
  return all;
}

const std::vector<Factor>& common_factors() {
  static const std::vector<Factor> all{
      choice("platform",
             {"native", "container", "xen-pv", "xen-pvh", "xen-hvm", "xen-hvm-pv", "kvm", "kvm-qemu", "uml",
              "qemu"},
             "native", "how the workload is virtualised"),
      choice("topology", {"inside", "card"}, "card",
             "both ends inside one machine, or a peer behind a network card"),
      choice("offloads", {"on", "off"}, "on", "segmentation and receive offloads (TSO, GSO, GRO)"),
      count("guests", 1, 7, "1",
            "systems under test that work at once, each with a partner: guests, containers or processes"),
      choice("loads", {"equal", "halving", "opposed"}, "equal",
             "of several guests: alike; each half of the one before; every second in the other direction"),
      choice("guest_cpu", {"own", "together", "driver"}, "own",
             "of Xen's and KVM's guests: a CPU each; all on one of their own; all on the driver domain's"),
      count("driver_cpus", 1, 2, "1",
            "CPUs of Xen's Domain-0 or KVM's host; driver_interrupts says what the second one does"),
      choice("scheduler", {"credit2", "credit", "rtds", "null"}, "credit2", "Xen's scheduler"),
      count("softload_percent", 0, 100, "0",
            "share of its CPU that an integer loop holds beside each system's work"),
      count("cpu_mips", 50, 20'000, "500",
            "million instructions a second that each of the lab's CPUs executes"),
      count("round_instructions", 100, 50'000, "2000",
            "instructions that one of the lab's CPUs may be ahead of another"),
      count("sampling_hz", 0, 20'000, "0",
            "samples a second that a profiler takes in each system and the driver domain; 0: there is none"),
      bytes("system_window", 0, 212'992, "0",
            "socket buffers of the system under test, and so TCP's window; 0: the kernel's own"),
      bytes("peer_window", 0, 212'992, "0", "the same of the other end"),
      count("link_mbps", 0, 10'000, "0",
            "bits of the wire, Mb/s, both ways: in the lab with cards, on the host of the peers' end; 0: "
            "none set"),
      choice("forwarding", {"bridge", "route", "nat"}, "bridge",
             "what the driver domain, or a container's host, does with packets; native has nobody between"),
      count("cards", 1, 2, "1",
            "with cards: the system's; 2: guests 1, 3, ... use the first, 2, 4, ... the second"),
      choice("driver_interrupts", {"apart", "swapped", "first", "by-card"}, "apart",
             "with driver_cpus = 2: cards first and interfaces second; the reverse; all first; each card's "
             "by itself"),
      count("driver_domains", 0, 2, "0",
            "Xen's, besides Domain-0, with a card each and guests in turn; 0: Domain-0 drives the cards"),
      choice("iommu", {"off", "on", "strict"}, "off",
             "with Xen: none; one, as driver domains have it always; strict: for Domain-0's devices too"),
      choice("guest_weights", {"equal", "halving"}, "equal",
             "of Xen's guests, for its scheduler: alike; each half of the one before"),
      count("guest_cap_percent", 0, 100, "0", "most of a CPU that each of Xen's guests may have; 0: no cap"),
      count("guest_memory_mib", 128, 1024, "192", "memory of each of Xen's and KVM's guests at boot"),
      count("balloon_mib", 0, 1024, "0",
            "memory that each of them keeps when its balloon is blown up; 0: all that it has"),
      {"caches",
       FactorType::caches,
       "caches that the lab models, beside its counts, whose misses it tells",
       "off",
       {"off", "epyc", "xeon-mp"},
       0,
       0},
      choice("hardware_counters", {"off", "on"}, "off",
             "on the host: cycles and instructions as the CPU counts them, which costs time itself"),
  };
  return all;
}

namespace {

std::vector<Factor> stream_factors(std::vector<Factor> own) {
  std::vector<Factor> all{
      bytes("bytes", 1, 16 * kGiB, "8388608", "payload of the window"),
      choice("direction", {"receive", "send"}, "receive", "what the system under test does"),
      bytes("warmup_bytes", 0, 16 * kGiB, "1048576", "payload sent before the window")};
  all.insert(all.begin() + 1, own.begin(), own.end());
  return all;
}

std::vector<Factor> exchange_factors(std::uint64_t least, std::uint64_t most, std::string_view fallback) {
  return {count("transactions", 1, 100'000'000, "500", "exchanges in the window"),
          bytes("request_bytes", least, most, fallback, "payload of a request"),
          bytes("response_bytes", least, most, fallback, "payload of a response"),
          choice("direction", {"receive", "send"}, "receive", "receive: the system serves; send: it asks"),
          count("warmup_transactions", 0, 100'000'000, "50", "exchanges before the window")};
}

}  // namespace

const std::vector<WorkloadKind>& workloads() {
  constexpr std::uint64_t datagram = 65507;
  static const std::vector<WorkloadKind> all{
      {"tcp-stream", "a fixed number of bytes over one TCP connection",
       stream_factors({bytes("write_bytes", 1, 64 * kMiB, "65536", "payload of one write by the sender")})},
      {"udp-stream", "a fixed number of bytes in datagrams at a set rate; a lost one fails the trial",
       stream_factors(
           {bytes("write_bytes", 16, datagram, "1448", "payload of a datagram"),
            count("rate_mbps", 0, 100'000, "100", "payload, Mb/s of virtual time; 0: as fast as it goes")})},
      {"tcp-rr", "one request, one response, over one TCP connection, one at a time",
       exchange_factors(1, kMiB, "1")},
      {"udp-rr", "one request, one response, in datagrams, one at a time",
       exchange_factors(8, datagram, "8")},
      {"tcp-crr", "connect, one request, one response, close, one at a time", exchange_factors(1, kMiB, "1")},
      {"http",
       "a fixed number of requests to a web server",
       {count("requests", 1, 1'000'000, "200", "answered in the window"),
        count("connections", 1, 128, "1", "at once"),
        count("requests_per_connection", 1, 10'000, "1", "then another one takes its place"),
        choice("files", {"one", "set"}, "one", "one: of file_bytes; set: SPECweb99's, by their popularity"),
        bytes("file_bytes", 0, 16 * kMiB, "14746", "content of a response (the default: the set's mean)"),
        count("connections_per_second", 0, 100'000, "0", "opened, in virtual time; 0: as fast as it goes"),
        choice("direction", {"receive", "send"}, "receive", "receive: the system serves; send: it asks"),
        count("warmup_requests", 0, 1'000'000, "20", "answered before the window")}},
      {"memory",
       "STREAM's four kernels over three arrays, without traffic",
       {bytes("array_bytes", 4096, 32 * kMiB, "4194304", "each of the three"),
        count("rounds", 2, 1000, "5", "copy, scale, add and triad, one after the other")}},
      {"linpack",
       "dense systems of equations, without traffic",
       {count("size", 2, 1000, "100", "equations of a system"),
        choice("precision", {"single", "double"}, "single", "of the arithmetic"),
        count("systems", 1, 1'000'000, "20", "solved in the window")}},
      {"cpu-loop",
       "an integer loop (xorshift), without traffic",
       {count("iterations", 1, 10'000'000'000, "10000000", "of the loop")}},
      {"compile",
       "a C compiler at work on a real program, without traffic",
       {count("compiles", 1, 16, "1",
              "compilers that work at once in each system, each on all of the source"),
        choice("source", {"stb_perlin", "stb_sprintf", "stb_image_write"}, "stb_perlin",
               "what is compiled, of the package libstb-dev: a short program, a longer one, the longest")}},
      {"disk",
       "a fixed number of bytes of a block device, without traffic",
       {bytes("bytes", 512, 4 * kGiB, "4194304",
              "read or written, in whole blocks; beyond the disk's 32 MiB from its begin again"),
        bytes("block_bytes", 512, kMiB, "512", "of one read or write; a multiple of 512 B"),
        choice("operation", {"write", "read"}, "write", "what the system under test does"),
        choice("pattern", {"sequential", "random"}, "sequential",
               "random: each block once, in a fixed order"),
        choice("direct", {"off", "on"}, "off", "on: past the page cache"),
        choice("store", {"memory", "tmpdir"}, "memory",
               "the lab's disk, or on machine host a file in memory; tmpdir: on machine host, in $TMPDIR")}},
  };
  return all;
}

const WorkloadKind* find_workload(std::string_view name) {
  const auto& all = workloads();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const WorkloadKind& w) { return w.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const Factor* find_factor(const std::vector<Factor>& factors, std::string_view name) {
  const auto found =
      std::find_if(factors.begin(), factors.end(), [&](const Factor& f) { return f.name == name; });
  return found == factors.end() ? nullptr : &*found;
}

const Factor* find_factor_of_any(std::string_view name, std::string_view workload) {
  if (const Factor* factor = find_factor(common_factors(), name)) return factor;
  for (const WorkloadKind& kind : workloads()) {
    if (!workload.empty() && kind.name != workload) continue;
    if (const Factor* factor = find_factor(kind.factors, name)) return factor;
  }
  return nullptr;
}

std::vector<std::string_view> names_of(const std::vector<Factor>& factors) {
  std::vector<std::string_view> names;
  for (const Factor& factor : factors) names.push_back(factor.name);
  return names;
}

std::vector<std::string_view> workload_names() {
  std::vector<std::string_view> names;
  for (const WorkloadKind& workload : workloads()) names.push_back(workload.name);
  return names;
}

std::string allowed_values(const Factor& factor) {
  switch (factor.type) {
    case FactorType::choice:
      return fmt::format("{}", fmt::join(factor.choices, ", "));
    case FactorType::caches:
      return fmt::format("{}, or sizes", fmt::join(factor.choices, ", "));
    case FactorType::bytes:
      return readable_bytes(factor.low) + " to " + readable_bytes(factor.high);
    case FactorType::count:
      return fmt::format("{} to {}", factor.low, factor.high);
  }
  return "";
}

Result<std::string> canonical(const Factor& factor, std::string_view text) {
  switch (factor.type) {
    case FactorType::bytes:
      return canonical_bytes(factor, text);
    case FactorType::count:
      return canonical_count(factor, text);
    case FactorType::caches:
      if (std::find(factor.choices.begin(), factor.choices.end(), text) == factor.choices.end()) {
        const auto caches = read_caches(text);
        if (!caches)
          return fail(
              {"", fmt::format("'{}' is not a value of 'caches': {}", printable(text), caches.error().why),
               caches.error().next});
        return text_of(*caches);
      }
      return std::string(text);
    case FactorType::choice:
      break;
  }
  if (std::find(factor.choices.begin(), factor.choices.end(), text) == factor.choices.end()) {
    std::string next = suggestion(text, factor.choices);
    if (factor.name == "platform") next += "; `vtax list platforms` says what each is";
    return fail(bad_value(factor, text, next));
  }
  return std::string(text);
}

}  // namespace vtax
