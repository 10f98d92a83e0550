#include "workload/measure/side_report_reader.h"

#include <fmt/format.h>

#include <limits>

namespace vtax {
namespace {

constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kMostSpanNs = 100ULL * 3600 * 1'000'000'000;
constexpr std::size_t kMostEntries = 20'000;

class Reader {
 public:
  std::uint64_t number(const JsonFields& from, const char* key, std::uint64_t most = kAnyNumber) {
    const auto value = from.number(key, 0, most);
    if (!value && good) good = fail(value.error());
    return value.value_or(0);
  }
  std::chrono::nanoseconds time(const JsonFields& from, const char* key) {
    return std::chrono::nanoseconds(number(from, key, kMostSpanNs));
  }
  std::string text(const JsonFields& from, const char* key) {
    const auto value = from.text(key, 64);
    if (!value && good) good = fail(value.error());
    return value.value_or("");
  }
  JsonFields object(const JsonFields& from, const char* key) {
    auto value = from.object(key);
    if (!value && good) good = fail(value.error());
    return value ? *value : JsonFields("report", nlohmann::json::object());
  }
  std::vector<nlohmann::json> array(const JsonFields& from, const char* key) {
    const auto value = from.array(key, kMostEntries);
    if (!value && good) good = fail(value.error());
    return value.value_or(std::vector<nlohmann::json>{});
  }

  Result<> good;
};

void read_metrics(Reader& reader, const JsonFields& fields, SideReport& side) {
  for (const nlohmann::json& entry : reader.array(fields, "metrics")) {
    const JsonFields metric("metric", entry);
    const bool has_value = entry.is_object() && entry.contains("value") && entry["value"].is_number();
    if (!has_value && reader.good) reader.good = fail(fields.bad("a metric without a value"));
    if (!has_value) return;
    side.metrics.push_back({reader.text(metric, "name"), entry["value"].get<double>(),
                            reader.text(metric, "unit"), metric.boolean("higher_is_better").value_or(true)});
  }
}

void read_latency(Reader& reader, const JsonFields& fields, SideReport& side) {
  if (!fields.has("latency")) return;
  side.latency.emplace();
  for (const nlohmann::json& entry : reader.array(reader.object(fields, "latency"), "buckets")) {
    const bool good = entry.is_array() && entry.size() == 3 && entry[0].is_number_unsigned() &&
                      entry[1].is_number_unsigned() && entry[2].is_number_unsigned();
    if (!good) {
      if (reader.good) reader.good = fail(fields.bad("'buckets' holds something other than three numbers"));
      return;
    }
    side.latency->record(entry[1].get<std::uint64_t>(), entry[2].get<std::uint64_t>());
  }
}

void read_intervals(Reader& reader, const JsonFields& fields, SideReport& side) {
  for (const nlohmann::json& entry : reader.array(fields, "intervals")) {
    const JsonFields interval("interval", entry.is_object() ? entry : nlohmann::json::object());
    side.intervals.push_back({reader.time(interval, "start_ns"), reader.time(interval, "end_ns"),
                              Bytes(reader.number(interval, "bytes")),
                              Transactions(reader.number(interval, "transactions"))});
  }
}

void read_failures(const JsonFields& fields, Reader& reader, SideReport& side) {
  const JsonFields failures = reader.object(fields, "failures");
  if (failures.json().size() > 64 && reader.good)
    reader.good = fail(fields.bad("more than 64 kinds of failures"));
  for (const auto& [kind, count] : failures.json().items())
    side.failures[kind.substr(0, 64)] = reader.number(failures, kind.c_str());
}

}  // namespace

Result<SideReport> read_side_report(const JsonFields& fields) {
  Reader reader;
  SideReport side;
  side.side = reader.text(fields, "side");
  side.duration = reader.time(fields, "duration_ns");
  const JsonFields work = reader.object(fields, "work");
  side.bytes = Bytes(reader.number(work, "bytes"));
  side.messages = Packets(reader.number(work, "messages"));
  side.transactions = Transactions(reader.number(work, "transactions"));
  const JsonFields cpu = reader.object(fields, "cpu");
  side.cpu.user = reader.time(cpu, "user_ns");
  side.cpu.system = reader.time(cpu, "system_ns");
  side.cpu.voluntary_switches = reader.number(cpu, "voluntary_switches");
  side.cpu.involuntary_switches = reader.number(cpu, "involuntary_switches");
  if (cpu.has("machine_busy_ns")) side.cpu.machine_busy = reader.time(cpu, "machine_busy_ns");
  read_metrics(reader, fields, side);
  read_failures(fields, reader, side);
  read_latency(reader, fields, side);
  read_intervals(reader, fields, side);
  if (fields.has("details")) {
    if (const auto details = fields.object("details")) side.details = details->json();
  }
  if (!reader.good) return fail(reader.good.error());
  return side;
}

}  // namespace vtax
