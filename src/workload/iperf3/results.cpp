#include "workload/iperf3/results.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "workload/iperf3/numbers.h"

namespace vtax::iperf3 {
namespace {

constexpr std::uint64_t kMostCount = 1ULL << 53;  // JSON's numbers are exact up to here
constexpr double kMostSeconds = 100'000;
constexpr double kMostPercent = 1e6;

// -1, which version 3.12 writes as 2^64 - 1, is "not known".
Result<std::optional<std::uint64_t>> known_number(const JsonFields& fields, const char* key) {
  if (fields.has(key)) {
    const nlohmann::json& value = fields.json()[key];
    if (value == nlohmann::json(-1) || value == nlohmann::json(~std::uint64_t{0})) return std::nullopt;
  }
  return whole_number(fields, key, kMostCount);
}

Result<StreamResult> read_stream(const JsonFields& fields, bool omits) {
  StreamResult out;
  const auto id = whole_number(fields, "id", 1000);
  const auto bytes = whole_number(fields, "bytes", kMostCount);
  const auto jitter = real_number(fields, "jitter", 0, kMostSeconds);
  const auto lost = whole_number(fields, "errors", kMostCount);
  const auto packets = whole_number(fields, "packets", kMostCount);
  const auto omitted_lost = known_number(fields, "omitted_errors");
  const auto omitted_packets = known_number(fields, "omitted_packets");
  const auto retransmits = known_number(fields, "retransmits");
  const auto start = real_number(fields, "start_time", 0, kMostSeconds);
  const auto end = real_number(fields, "end_time", 0, kMostSeconds);
  for (const auto* one : {&id, &bytes, &lost, &packets}) {
    if (!*one) return fail(one->error());
    if (!**one) return fail(fields.bad("a stream without id, bytes, errors or packets"));
  }
  for (const auto* one : {&retransmits, &omitted_lost, &omitted_packets})
    if (!*one) return fail(one->error());
  for (const auto* one : {&jitter, &start, &end})
    if (!*one) return fail(one->error());
  if (**lost > **packets)
    return fail(fields.bad(fmt::format("{} of {} packets are lost", **lost, **packets)));
  out.id = static_cast<int>(**id);
  out.bytes = **bytes;
  out.jitter_seconds = jitter->value_or(0);
  // What was missing when the omitted time ended may have come since.
  out.lost = **lost - std::min(**lost, omitted_lost->value_or(0));
  out.packets = **packets;
  out.omitted_packets = *omitted_packets;
  out.lost_known = !omits || omitted_lost->has_value() || **lost == 0;
  out.retransmits = *retransmits;
  out.seconds = std::max(0.0, end->value_or(0) - start->value_or(0));
  return out;
}

}  // namespace

nlohmann::json Results::to_json() const {
  nlohmann::json out{{"cpu_util_total", cpu_total},
                     {"cpu_util_user", cpu_user},
                     {"cpu_util_system", cpu_system},
                     {"sender_has_retransmits", receives_only     ? -1
                                                : has_retransmits ? 1
                                                                  : 0},
                     {"streams", nlohmann::json::array()}};
  if (!congestion.empty()) out["congestion_used"] = congestion;
  if (!server_output.empty()) out["server_output_text"] = server_output;
  for (const StreamResult& stream : streams) {
    nlohmann::json one{
        {"id", stream.id},           {"bytes", stream.bytes},     {"jitter", stream.jitter_seconds},
        {"errors", stream.lost},     {"packets", stream.packets}, {"start_time", 0},
        {"end_time", stream.seconds}};
    // `errors` here are those of the measured span alone: sides before 3.13 show them as they are, later ones
    // take `omitted_errors` away first, and without the two keys believe that nothing was lost.
    if (stream.omitted_packets) {
      one["omitted_errors"] = 0;
      one["omitted_packets"] = *stream.omitted_packets;
    }
    one["retransmits"] = stream.retransmits ? nlohmann::json(*stream.retransmits) : nlohmann::json(-1);
    out["streams"].push_back(std::move(one));
  }
  return out;
}

Result<Results> Results::from(const JsonFields& fields, const Parameters& test) {
  Results out;
  for (const auto& [key, into] : {std::pair{"cpu_util_total", &out.cpu_total},
                                  {"cpu_util_user", &out.cpu_user},
                                  {"cpu_util_system", &out.cpu_system}}) {
    // A side that was measured for no time at all divides by it; null is what JSON makes of that.
    if (fields.has(key) && fields.json()[key].is_null()) continue;
    const auto value = real_number(fields, key, -1, kMostPercent);
    if (!value) return fail(value.error());
    if (!*value) return fail(fields.bad(fmt::format("'{}' is missing", key)));
    *into = std::max(0.0, **value);
  }
  const auto knows = known_number(fields, "sender_has_retransmits");
  if (!knows) return fail(knows.error());
  out.has_retransmits = knows->value_or(0) != 0;
  if (fields.has("congestion_used")) {
    const auto name = fields.text("congestion_used", 64);
    if (!name) return fail(name.error());
    out.congestion = printable(*name);
  }
  if (fields.has("server_output_text")) {
    const auto text = fields.text("server_output_text", kMostJsonBytes);
    if (!text) return fail(text.error());
    out.server_output = *text;
  }
  const auto entries = fields.array("streams", test.streams());
  if (!entries) return fail(entries.error());
  if (entries->size() != test.streams())
    return fail(fields.bad(fmt::format("{} streams, the test has {}", entries->size(), test.streams())));
  out.streams.resize(test.streams());
  for (const nlohmann::json& entry : *entries) {
    if (!entry.is_object()) return fail(fields.bad("a stream that is no object"));
    const auto stream =
        read_stream(JsonFields("read the other side's results", entry), test.omit.count() != 0);
    if (!stream) return fail(stream.error());
    std::size_t index = 0;
    while (index < out.streams.size() && stream_id(index) != stream->id) ++index;
    if (index == out.streams.size() || out.streams[index].id != 0)
      return fail(fields.bad(fmt::format("stream {} is unknown, or there twice", stream->id)));
    out.streams[index] = *stream;
  }
  return out;
}

}  // namespace vtax::iperf3
