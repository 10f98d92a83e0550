#include "workload/iperf3/parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "workload/iperf3/numbers.h"

namespace vtax::iperf3 {
namespace {

Error unfit(std::string why) {
  return {"cannot do this test", std::move(why), "", ExitCode::usage};
}

// Reads key after key; the first error stays.
class ParameterReader {
 public:
  explicit ParameterReader(const JsonFields& fields) : fields_(fields) {}

  std::uint64_t number(const char* key, std::uint64_t most, std::uint64_t absent = 0) {
    const auto value = whole_number(fields_, key, most);
    if (!value && outcome) outcome = fail(value.error());
    return value && *value ? **value : absent;
  }
  std::string text(const char* key, std::size_t most) {
    if (!fields_.has(key)) return "";
    const auto value = fields_.text(key, most);
    if (!value && outcome) outcome = fail(value.error());
    return value.value_or("");
  }

  Result<> outcome;

 private:
  const JsonFields& fields_;
};

}  // namespace

nlohmann::json Parameters::to_json() const {
  nlohmann::json out{{udp ? "udp" : "tcp", true},
                     {"omit", omit.count()},
                     {"time", time.count()},
                     {"num", bytes},
                     {"blockcount", blocks},
                     {"parallel", parallel},
                     {"len", block_bytes},
                     {"pacing_timer", 1000},
                     {"client_version", client_version}};
  const auto add = [&](const char* key, std::uint64_t value) {
    if (value != 0) out[key] = value;
  };
  add("bandwidth", bits_per_second);
  add("window", window_bytes);
  add("MSS", segment_bytes);
  add("TOS", type_of_service);
  add("fqrate", pacing_bits_per_second);
  add("zerocopy", zero_copy ? 1 : 0);
  add("udp_counters_64bit", udp && wide_counters ? 1 : 0);
  add("get_server_output", server_output ? 1 : 0);
  if (no_delay) out["nodelay"] = true;
  if (reverse) out["reverse"] = true;
  if (bidirectional) out["bidirectional"] = true;
  if (!congestion.empty()) out["congestion"] = congestion;
  return out;
}

Result<Parameters> Parameters::from(const JsonFields& fields) {
  Parameters out;
  const bool tcp = is_set(fields, "tcp");
  out.udp = is_set(fields, "udp");
  if (is_set(fields, "sctp")) return fail(fields.bad("SCTP is not supported"));
  if (tcp == out.udp) return fail(fields.bad("neither TCP nor UDP, or both"));
  ParameterReader reader(fields);
  out.time = std::chrono::seconds(reader.number("time", kMostDuration.count()));
  out.omit = std::chrono::seconds(reader.number("omit", 600));
  out.bytes = reader.number("num", kMostBytes);
  out.blocks = reader.number("blockcount", kMostBytes);
  out.parallel = static_cast<int>(reader.number("parallel", kMostParallel, 1));
  out.reverse = is_set(fields, "reverse");
  out.bidirectional = is_set(fields, "bidirectional");
  out.block_bytes = reader.number("len", kMostBlockBytes, out.udp ? 1460 : 128 * 1024);
  out.bits_per_second = reader.number("bandwidth", 1ULL << 50);
  out.window_bytes = reader.number("window", 512ULL << 20);
  out.segment_bytes = reader.number("MSS", 9 * 1024);
  out.type_of_service = reader.number("TOS", 255);
  out.pacing_bits_per_second = reader.number("fqrate", 1ULL << 50);
  out.no_delay = is_set(fields, "nodelay");
  out.zero_copy = is_set(fields, "zerocopy");
  out.wide_counters = is_set(fields, "udp_counters_64bit");
  out.server_output = is_set(fields, "get_server_output");
  out.congestion = reader.text("congestion", 15);
  out.client_version = printable(reader.text("client_version", 64));
  if (!reader.outcome) return fail(reader.outcome.error());
  if (Result<> good = out.check(); !good) return fail(fields.bad(good.error().why));
  return out;
}

Result<> Parameters::check() const {
  if (parallel < 1 || parallel > kMostParallel)
    return fail(unfit(fmt::format("{} parallel streams, 1 to {} are possible", parallel, kMostParallel)));
  if (reverse && bidirectional) return fail(unfit("both reverse and in both directions"));
  const std::uint64_t least = udp ? stamp_bytes(wide_counters) : 1;
  const std::uint64_t most = udp ? kMostDatagramPayload : kMostBlockBytes;
  if (block_bytes < least || block_bytes > most)
    return fail(unfit(fmt::format("{} bytes in one {}, {} to {} are possible", block_bytes,
                                  udp ? "datagram" : "write", least, most)));
  if ((bytes != 0) + (blocks != 0) + (time.count() != 0) > 1)
    return fail(unfit("more than one of a time, an amount and a number of blocks"));
  if (time > kMostDuration || bytes > kMostBytes || blocks > kMostBytes / block_bytes)
    return fail(unfit("more than 24 hours or 1 PiB"));
  if (amount() != 0 && amount() < static_cast<std::uint64_t>(parallel))
    return fail(unfit("fewer bytes than streams"));
  return {};
}

}  // namespace vtax::iperf3
