#include "report/json.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "core/json_writer.h"
#include "core/sha256.h"
#include "query/cell.h"
#include "query/measured.h"
#include "query/phrase.h"
#include "record/schedule_text.h"
#include "record/timeline_text.h"
#include "report/capacity_json.h"
#include "report/claims_json.h"
#include "subject/trial_spec.h"

namespace vtax {
namespace {

constexpr std::uint64_t kSchema = 1;

void write_devices(JsonWriter& json, const Trial& trial) {
  json.key("devices").begin_array();
  for (const DeviceCount& d : trial.devices) {
    json.begin_object().field("side", d.side).field("domain", d.domain).field("device", d.device);
    json.field("received_packets", d.received.value).field("sent_packets", d.sent.value);
    json.field("received_bytes", d.received_bytes.value).field("sent_bytes", d.sent_bytes.value).end_object();
  }
  json.end_array();
}

void write_rates_of(JsonWriter& json, Bytes bytes, Transactions transactions, std::uint64_t ns) {
  const double seconds = static_cast<double>(ns) * 1e-9;
  if (bytes.value > 0) json.field("payload_bits_per_second", static_cast<double>(bytes.value) * 8 / seconds);
  if (transactions.value > 0)
    json.field("transactions_per_second", static_cast<double>(transactions.value) / seconds);
}

void write_guests(JsonWriter& json, const Trial& trial) {
  json.key("guests").begin_array();
  for (const GuestWork& g : trial.guests) {
    json.begin_object().field("guest", g.guest).field("bytes", g.bytes.value);
    json.field("transactions", g.transactions.value).field("virtual_ns", g.virtual_ns);
    if (has_own_time(trial) && g.virtual_ns > 0) write_rates_of(json, g.bytes, g.transactions, g.virtual_ns);
    json.end_object();
  }
  json.end_array();
}

void write_ledger(JsonWriter& json, const Trial& trial) {
  json.key("ledger").begin_array();
  for (const LedgerEntry& e : trial.ledger) {
    json.begin_object().key("cpu");
    e.cpu == LedgerEntry::kUnknownCpu ? json.null() : json.value(static_cast<std::uint64_t>(e.cpu));
    json.field("domain", e.domain).field("layer", name(e.layer)).field("part", name(e.part));
    json.field("kind", e.kind).field("value", e.value).end_object();
  }
  json.end_array();
}

void write_functions(JsonWriter& json, const Trial& trial) {
  json.key("functions").begin_array();
  for (const FunctionCost& f : trial.functions) {
    json.begin_object().field("domain", f.domain).field("layer", name(f.layer)).field("part", name(f.part));
    json.field("image", f.image).field("function", f.function);
    json.field("instructions", f.instructions.value).key("calls");
    f.calls ? json.value(*f.calls) : json.null();
    json.end_object();
  }
  json.end_array();
}

void write_rate(JsonWriter& json, const Trial& trial) {
  if (trial.window_virtual_ns == 0 || !has_own_time(trial)) return;
  json.key("rate").begin_object();
  write_rates_of(json, trial.work.bytes, trial.work.transactions, trial.window_virtual_ns);
  json.end_object();
}

void write_fairness(JsonWriter& json, const Trial& trial) {
  if (const auto fairness = fairness_of(trial.guests)) json.field("fairness", *fairness);
}

void write_latency(JsonWriter& json, const Trial& trial) {
  if (trial.waiting.empty()) return;
  json.key("latency_ns").begin_array();
  for (const Waiting& one : trial.waiting) {
    json.begin_object().field("guest", one.guest).field("count", one.count);
    json.field("mean", static_cast<double>(one.sum_ns) / static_cast<double>(one.count));
    json.field("min", one.least_ns).field("p50", one.p50_ns).field("p90", one.p90_ns);
    json.field("p99", one.p99_ns).field("p99_9", one.p999_ns).field("max", one.most_ns).end_object();
  }
  json.end_array();
}

void write_busy(JsonWriter& json, const Trial& trial) {
  if (trial.busy.empty() || trial.window_virtual_ns == 0) return;
  json.key("busy").begin_array();
  for (const Busy& one : trial.busy) {
    json.begin_object().field("cpu", static_cast<std::uint64_t>(one.cpu)).field("domain", one.domain);
    json.field("share", static_cast<double>(one.ns) / static_cast<double>(trial.window_virtual_ns));
    json.end_object();
  }
  json.end_array();
}

void write_instructions(JsonWriter& json, std::string_view key, Instructions total) {
  json.key(key).begin_object().field("instructions", total.value).end_object();
}

// The fields of a trial's object, without its brackets.
void write_trial(JsonWriter& json, const Trial& trial) {
  json.field("index", trial.index).field("trial", number_of(trial.index));
  json.field("repetition", static_cast<std::uint64_t>(trial.repetition));
  json.field("platform", trial.factors.at("platform")).field("workload", trial.factors.at("workload"));
  json.key("factors").begin_object();
  for (const auto& [factor, value] : trial.factors) json.field(factor, value);
  json.end_object();
  if (trial.error.empty()) {
    json.field("digest", trial.digest);
    json.key("work").begin_object().field("bytes", trial.work.bytes.value);
    json.field("packets", trial.work.packets.value)
        .field("transactions", trial.work.transactions.value)
        .field("transaction", noun(Unit::transaction, trial.factors.at("workload")))
        .end_object();
    if (const auto time = machine_cpu_ns(trial)) {
      json.key("machine_total").begin_object().field(kCpuTimeKind, *time).end_object();
      json.field("window_ns", trial.window_virtual_ns);
    } else {
      write_instructions(json, "machine_total", trial.machine_total);
      const auto topology = trial.factors.find("topology");
      // Of a peer in another machine it is not known.
      if (topology == trial.factors.end() || topology->second != name_of(Topology::joined))
        write_instructions(json, "peer_total", trial.peer_total);
      json.field("window_virtual_ns", trial.window_virtual_ns);
    }
    json.field("elapsed_host_ns", trial.elapsed_host_ns);
    write_rate(json, trial);
    write_latency(json, trial);
    write_busy(json, trial);
    write_fairness(json, trial);
    write_devices(json, trial);
    write_guests(json, trial);
    write_ledger(json, trial);
    if (!trial.timeline.empty()) json.key("timeline").raw(timeline_text(trial.timeline));
    if (!trial.schedule.empty()) json.key("schedule").raw(schedule_text(trial.schedule));
    write_functions(json, trial);
  } else {
    json.field("error", trial.error);
  }
  json.key("provenance").raw(trial.provenance);
}

void write_header(JsonWriter& json, const Run& run) {
  json.field("schema", kSchema).field("study", run.study).field("question", run.question);
  json.field("vtax_version", run.vtax_version).field("started_utc", run.started_utc);
  json.key("settings").raw(run.settings).key("machine").raw(run.machine);
  json.field("planned_trials", run.planned_trials);
}

// Whether something is said of all cells together: claims, or rates.
bool judges(const Run& header) {
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  return settings.is_object() && (settings.contains("published") || settings.contains("speed") ||
                                  settings.value("machine", nlohmann::json()) == "host");
}

// What is known when all trials were read.
class Summary {
 public:
  explicit Summary(const Run& header) : header_(header) {
    if (judges(header)) costs_.emplace(header);
  }

  void add(const Trial& trial) {
    if (trial.error.empty()) digest_.add(trial.digest);
    ++(trial.error.empty() ? finished_ : failed_);
    if (costs_) costs_->add(trial);
  }

  void write(JsonWriter& json) {
    json.field("finished_trials", finished_).field("failed_trials", failed_).field("digest", digest_.hex());
    const RunCosts costs = costs_ ? costs_->take() : RunCosts();
    write_claims(json, header_, costs);
    write_rates(json, header_, costs);
  }

 private:
  const Run& header_;
  Sha256 digest_;
  std::uint64_t finished_ = 0, failed_ = 0;
  std::optional<CostsOfTrials> costs_;  // where there is something to judge: they are held in memory
};

}  // namespace

Result<> write_json(RunReader& reader, std::ostream& out) {
  JsonWriter json(out);
  json.begin_object();
  write_header(json, reader.header());
  json.key("trials").begin_array();
  Summary summary(reader.header());
  auto read = reader.for_each(RunReader::Detail::all, [&](const Trial& trial) {
    json.line().begin_object();
    write_trial(json, trial);
    json.end_object();
    summary.add(trial);
    return Result<>();
  });
  if (!read) return read;
  json.end_array().line();
  summary.write(json);
  json.end_object();
  json.flush();
  out << '\n';
  return {};
}

Result<> write_ndjson(RunReader& reader, std::ostream& out) {
  const auto line = [&out](std::string_view record, const auto& write) {
    JsonWriter json(out, JsonWriter::Lines::one);
    json.begin_object().field("record", record);
    write(json);
    json.end_object();
    json.flush();
    out << '\n';
  };
  Summary summary(reader.header());
  line("run", [&](JsonWriter& json) { write_header(json, reader.header()); });
  Result<> done = reader.for_each(RunReader::Detail::all, [&](const Trial& trial) {
    summary.add(trial);
    line("trial", [&](JsonWriter& json) { write_trial(json, trial); });
    return Result<>();
  });
  if (!done) return done;
  line("end", [&](JsonWriter& json) { summary.write(json); });
  return {};
}

}  // namespace vtax
