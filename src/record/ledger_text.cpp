#include "record/ledger_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/json_fields.h"

namespace vtax {
namespace {

constexpr char kReadingLedger[] = "cannot read the ledger of the trial";
constexpr std::size_t kMostLedgerRows = 10'000;
constexpr int kMostLedgerCpus = 1 << 16;

Result<int> cpu_of(const JsonFields& row) {
  const auto found = row.json().find("cpu");
  if (found != row.json().end() && *found == LedgerEntry::kUnknownCpu) return LedgerEntry::kUnknownCpu;
  const auto cpu = row.number("cpu", 0, kMostLedgerCpus);
  if (!cpu) return fail(cpu.error());
  return static_cast<int>(*cpu);
}

Result<LedgerEntry> entry_of(const nlohmann::json& json) {
  const JsonFields row(kReadingLedger, json);
  if (!json.is_object()) return fail(row.bad("a row is no object"));
  if (auto known = row.only({"cpu", "domain", "kind", "layer", "part", "value"}); !known)
    return fail(known.error());
  const auto cpu = cpu_of(row);
  if (!cpu) return fail(cpu.error());
  const auto domain = row.text("domain"), kind = row.text("kind"), layer = row.text("layer"),
             part = row.text("part");
  for (const auto* text : {&domain, &kind, &layer, &part})
    if (!*text) return fail(text->error());
  const auto known_layer = layer_named(*layer);
  if (!known_layer) return fail(row.bad("a row's layer is none"));
  const auto known_part = part_named(*part);
  if (!known_part) return fail(row.bad("a row's part is none"));
  const auto value = row.number("value", 0, UINT64_MAX);
  if (!value) return fail(value.error());
  return LedgerEntry{*cpu, *domain, *known_layer, *known_part, *kind, *value};
}

}  // namespace

std::string ledger_text(const std::vector<LedgerEntry>& ledger) {
  nlohmann::json rows = nlohmann::json::array();
  for (const LedgerEntry& entry : ledger)
    rows.push_back({{"cpu", entry.cpu},
                    {"domain", entry.domain},
                    {"layer", name(entry.layer)},
                    {"part", name(entry.part)},
                    {"kind", entry.kind},
                    {"value", entry.value}});
  return rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::vector<LedgerEntry>> read_ledger(std::string_view text) {
  const auto whole = JsonFields::parse(kReadingLedger, fmt::format("{{\"rows\":{}}}", text));
  if (!whole) return fail(whole.error());
  if (auto known = whole->only({"rows"}); !known) return fail(known.error());
  const auto rows = whole->array("rows", kMostLedgerRows);
  if (!rows) return fail(rows.error());
  std::vector<LedgerEntry> ledger;
  for (const nlohmann::json& row : *rows) {
    auto entry = entry_of(row);
    if (!entry) return fail(entry.error());
    ledger.push_back(std::move(*entry));
  }
  return ledger;
}

}  // namespace vtax
