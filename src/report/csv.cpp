#include "report/csv.h"

#include <set>
#include <string>

#include "core/harmless.h"

namespace vtax {
namespace {

std::string cell_text(std::string_view foreign) {
  const std::string text = printable_text(foreign);
  const bool is_formula =
      !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  std::string value = (is_formula ? "'" : "") + text;
  if (value.find_first_of(",\"\r\n") == std::string::npos) return value;
  std::string quoted = "\"";
  for (const char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

class Rows {
 public:
  explicit Rows(std::ostream& out) : out_(out) {}

  Rows& operator<<(std::string_view text) {
    out_ << (is_first_ ? "" : ",") << cell_text(text);
    is_first_ = false;
    return *this;
  }
  Rows& operator<<(std::uint64_t value) { return *this << std::string_view(std::to_string(value)); }
  void end() {
    out_ << "\r\n";
    is_first_ = true;
  }

 private:
  std::ostream& out_;
  bool is_first_ = true;
};

}  // namespace

Result<> write_csv(RunReader& reader, std::ostream& out) {
  std::set<std::string> factors;
  auto seen = reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) {
    for (const auto& [name, value] : trial.factors) factors.insert(name);
    return Result<>();
  });
  if (!seen) return seen;

  Rows rows(out);
  rows << "trial"
       << "repetition";
  for (const std::string& factor : factors) rows << factor;
  for (const char* heading : {"error", "digest", "work_bytes", "work_packets", "work_transactions",
                              "machine_instructions", "cpu", "domain", "layer", "part", "kind", "value"}) {
    rows << heading;
  }
  rows.end();
  return reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) {
    const auto begin_row = [&] {
      rows << number_of(trial.index) << static_cast<std::uint64_t>(trial.repetition);
      for (const std::string& factor : factors) {
        const auto found = trial.factors.find(factor);
        rows << (found == trial.factors.end() ? std::string_view() : std::string_view(found->second));
      }
      rows << trial.error << trial.digest;
    };
    if (!trial.error.empty()) {
      begin_row();
      for (int empty = 0; empty < 10; ++empty) rows << "";
      rows.end();
    }
    for (const LedgerEntry& e : trial.ledger) {
      begin_row();
      rows << trial.work.bytes.value << trial.work.packets.value << trial.work.transactions.value;
      // Of the real host nobody knows it.
      machine_cpu_ns(trial) ? rows << "" : rows << trial.machine_total.value;
      e.cpu == LedgerEntry::unknown_cpu ? rows << "" : rows << static_cast<std::uint64_t>(e.cpu);
      rows << e.domain << name(e.layer) << name(e.part) << e.kind << e.value;
      rows.end();
    }
    return Result<>();
  });
}

}  // namespace vtax
