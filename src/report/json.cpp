#include "report/json.h"

#include <nlohmann/json.hpp>

#include "core/sha256.h"
#include "report/claims_json.h"
#include "report/json_writer.h"

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

void write_ledger(JsonWriter& json, const Trial& trial) {
  json.key("ledger").begin_array();
  for (const LedgerEntry& e : trial.ledger) {
    json.begin_object().field("cpu", static_cast<std::uint64_t>(e.cpu)).field("domain", e.domain);
    json.field("layer", name(e.layer)).field("part", name(e.part));
    json.field("kind", e.kind).field("value", e.value).end_object();
  }
  json.end_array();
}

void write_functions(JsonWriter& json, const Trial& trial) {
  json.key("functions").begin_array();
  for (const FunctionCost& f : trial.functions) {
    json.begin_object().field("domain", f.domain).field("layer", name(f.layer)).field("part", name(f.part));
    json.field("image", f.image).field("function", f.function);
    json.field("instructions", f.instructions.value).end_object();
  }
  json.end_array();
}

void write_instructions(JsonWriter& json, std::string_view key, Instructions total) {
  json.key(key).begin_object().field("instructions", total.value).end_object();
}

void write_trial(JsonWriter& json, const Trial& trial) {
  json.line().begin_object().field("index", trial.index);
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
        .end_object();
    if (const auto time = machine_cpu_ns(trial)) {
      json.key("machine_total").begin_object().field(cpu_time_kind, *time).end_object();
      json.field("window_ns", trial.window_virtual_ns);
    } else {
      write_instructions(json, "machine_total", trial.machine_total);
      write_instructions(json, "peer_total", trial.peer_total);
      json.field("window_virtual_ns", trial.window_virtual_ns);
    }
    json.field("elapsed_host_ns", trial.elapsed_host_ns);
    write_devices(json, trial);
    write_ledger(json, trial);
    write_functions(json, trial);
  } else {
    json.field("error", trial.error);
  }
  json.key("provenance").raw(trial.provenance).end_object();
}

}  // namespace

Result<> write_json(RunReader& reader, std::ostream& out) {
  const Run& run = reader.header();
  JsonWriter json(out);
  json.begin_object().field("schema", kSchema).field("study", run.study).field("question", run.question);
  json.field("vtax_version", run.vtax_version).field("started_utc", run.started_utc);
  json.key("settings").raw(run.settings).key("machine").raw(run.machine);
  json.field("planned_trials", run.planned_trials).key("trials").begin_array();
  Sha256 digest;
  std::uint64_t finished = 0;
  std::uint64_t failed = 0;
  auto read = reader.for_each(RunReader::Detail::all, [&](const Trial& trial) {
    write_trial(json, trial);
    if (trial.error.empty()) digest.add(trial.digest);
    ++(trial.error.empty() ? finished : failed);
    return Result<>();
  });
  if (!read) return read;
  json.end_array().line().field("finished_trials", finished).field("failed_trials", failed);
  json.field("digest", digest.hex());
  // A second reading, where there is something to judge: costs of all cells are held in memory.
  RunCosts costs;
  if (nlohmann::json::parse(run.settings, nullptr, false).contains("published")) {
    auto all = read_costs(reader);
    if (!all) return fail(all.error());
    costs = std::move(*all);
  }
  write_claims(json, run, costs);
  json.end_object();
  json.flush();
  out << '\n';
  return {};
}

}  // namespace vtax
