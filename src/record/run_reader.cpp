#include "record/run_reader.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/input_file.h"
#include "core/readable.h"
#include "record/run_header.h"
#include "record/schedule_text.h"
#include "record/schema.h"
#include "record/seal.h"
#include "record/timeline_text.h"
#include "record/trial_check.h"

namespace vtax {
namespace {

// Limits on what a hostile file can make the reader hold; far above what a kernel with all its symbols gives.
constexpr std::size_t kMostStringBytes = 256U << 20U;
constexpr std::size_t kMostEntries = 100'000;
constexpr std::size_t kMostFunctions = 1'000'000;

// Steps through rows, at most `most`, calling `use` for each; false from `use` means that the row is
// malformed.
template <class Use>
Result<> each_row(const Database& database, Statement& rows, std::size_t most, const char* table,
                  const Use& use) {
  std::size_t seen = 0;
  int code = SQLITE_ROW;
  while ((code = rows.step()) == SQLITE_ROW) {
    if (++seen > most) return fail(database.damaged(fmt::format("table {} is too large", table)));
    if (!use() || !rows.well_formed())
      return fail(database.damaged(fmt::format("a row of table {} is malformed", table)));
  }
  if (code != SQLITE_DONE) return fail(database.error(code));
  return {};
}

// SQLite takes what is missing from the last page for zeros.
Result<> check_length(Database& database, const std::filesystem::path& file) {
  auto page_size = database.count("PRAGMA page_size");
  if (!page_size) return fail(page_size.error());
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error || size % *page_size != 0) return fail(database.damaged("its end is missing"));
  return {};
}

std::optional<std::map<std::string, std::string>> parse_factors(std::string_view text) {
  constexpr std::size_t kLongest = 65536;
  if (text.size() > kLongest || !is_json_object(text)) return std::nullopt;
  std::map<std::string, std::string> factors;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return std::nullopt;
    factors[name] = value.get<std::string>();
  }
  return factors;
}

}  // namespace

RunReader::RunReader(Database database, Run header)
    : database_(std::make_unique<Database>(std::move(database))), header_(std::move(header)) {}

Result<RunReader> RunReader::open(const std::filesystem::path& file) {
  const std::string what = fmt::format("cannot read run file {}", printable(file.string(), 200));
  if (const auto input = open_input(file, what); !input) return fail(input.error());
  auto database = Database::open(file, Database::Mode::read, what);
  if (!database) return fail(database.error());
  if (auto begun = database->run("BEGIN"); !begun) return fail(begun.error());
  auto blank = is_blank(*database);
  if (!blank) return fail(blank.error());
  if (*blank)
    return fail({what, "it is empty: its run ended before it began", "run the study again with --resume"});
  const auto version = check_schema(*database);
  if (!version) return fail(version.error());
  if (auto whole = check_length(*database, file); !whole) return fail(whole.error());
  auto header = read_run_header(*database);
  if (!header) return fail(header.error());
  RunReader reader(std::move(*database), std::move(*header));
  reader.schema_version_ = *version;
  if (auto loaded = reader.load_strings(); !loaded) return fail(loaded.error());
  if (auto sealed = reader.check_seals(); !sealed) return fail(sealed.error());
  return reader;
}

Result<> RunReader::load_strings() {
  auto rows = database_->prepare("SELECT id, text FROM string ORDER BY id");
  if (!rows) return fail(rows.error());
  std::size_t bytes = 0;
  return each_row(*database_, *rows, kMostStringBytes, "string", [&] {
    const std::string_view text = rows->text(1);
    bytes += text.size();
    if (rows->count(0) != strings_.size() + 1 || bytes > kMostStringBytes) return false;
    strings_.emplace_back(text);
    return true;
  });
}

// Of the header; and that no trial lost its seal, or a seal its trial.
Result<> RunReader::check_seals() {
  if (!is_sealed()) return {};
  auto seal = database_->prepare("SELECT sha256 FROM seal WHERE id = 0");
  if (!seal) return fail(seal.error());
  if (seal->step() != SQLITE_ROW || seal->text(0) != seal_of(header_))
    return fail(database_->damaged("its header is not what was written"));
  auto lost = database_->count(
      "SELECT (SELECT count(*) FROM seal WHERE id <> 0 AND id - 1 NOT IN (SELECT id FROM trial))");
  if (!lost) return fail(lost.error());
  if (*lost > 0) return fail(database_->damaged("a trial of it is gone"));
  return {};
}

Result<> RunReader::check_seal(Statement& row, const Trial& trial) {
  const int code = row.step();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return fail(database_->error(code));
  if (code == SQLITE_ROW && row.text(0) == seal_of(trial)) return {};
  return fail(database_->damaged(fmt::format("trial {} is not what was written", number_of(trial.index))));
}

const std::string* RunReader::string(std::uint64_t id) const {
  return id == 0 || id > strings_.size() ? nullptr : &strings_[id - 1];
}

Result<std::string> RunReader::provenance(std::uint64_t id) {
  if (id == provenance_id_) return provenance_;
  auto row = database_->prepare("SELECT json FROM provenance WHERE id = ?");
  if (!row) return fail(row.error());
  row->bind(1, id);
  const int code = row->step();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return fail(database_->error(code));
  if (code == SQLITE_DONE) return fail(database_->damaged("the provenance of a trial is missing"));
  provenance_ = row->text(0);
  if (!row->well_formed()) return fail(database_->damaged("the provenance of a trial is malformed"));
  provenance_id_ = id;
  return provenance_;
}

Result<Trial> RunReader::read_trial(Statement& row) {
  Trial trial;
  trial.index = row.count(0);
  const std::uint64_t repetition = row.count(1);
  auto factors = parse_factors(row.text(2));
  trial.error = row.text(3);
  trial.digest = row.text(4);
  trial.work = {Bytes(row.count(5)), Packets(row.count(6)), Transactions(row.count(7))};
  trial.machine_total = Instructions(row.count(8));
  trial.peer_total = Instructions(row.count(9));
  trial.window_virtual_ns = row.count(10);
  trial.elapsed_host_ns = row.count(11);
  const std::uint64_t provenance_id = row.count(12);
  if (!row.well_formed() || !factors || repetition > 1000)
    return fail(database_->damaged("a row of table trial is malformed"));
  trial.repetition = static_cast<int>(repetition);
  trial.factors = std::move(*factors);
  auto json = provenance(provenance_id);
  if (!json) return fail(json.error());
  trial.provenance = std::move(*json);
  return trial;
}

Result<> RunReader::read_devices(Statement& rows, Trial& trial) {
  return each_row(*database_, rows, kMostEntries, "device", [&] {
    const std::string* side = string(rows.count(0));
    const std::string* domain = string(rows.count(1));
    const std::string* device = string(rows.count(2));
    if (side == nullptr || domain == nullptr || device == nullptr) return false;
    trial.devices.push_back({*side, *domain, *device, Packets(rows.count(3)), Packets(rows.count(4)),
                             Bytes(rows.count(5)), Bytes(rows.count(6))});
    return true;
  });
}

Result<> RunReader::read_guests(Statement& rows, Trial& trial) {
  return each_row(*database_, rows, kMostEntries, "guest_work", [&] {
    const std::string* guest = string(rows.count(0));
    if (guest == nullptr) return false;
    trial.guests.push_back({*guest, Bytes(rows.count(1)), Transactions(rows.count(2)), rows.count(3)});
    return true;
  });
}

Result<> RunReader::read_waiting(Statement& rows, Trial& trial) {
  return each_row(*database_, rows, kMostEntries, "waiting", [&] {
    const std::string* guest = string(rows.count(0));
    if (guest == nullptr) return false;
    trial.waiting.push_back({*guest, rows.count(1), rows.count(2), rows.count(3), rows.count(4),
                             rows.count(5), rows.count(6), rows.count(7), rows.count(8)});
    return true;
  });
}

Result<> RunReader::read_busy(Statement& rows, Trial& trial) {
  return each_row(*database_, rows, kMostEntries, "busy", [&] {
    const std::string* domain = string(rows.count(1));
    const std::uint64_t cpu = rows.count(0);
    if (domain == nullptr || cpu > std::numeric_limits<std::uint16_t>::max()) return false;
    trial.busy.push_back({static_cast<int>(cpu), *domain, rows.count(2)});
    return true;
  });
}

Result<> RunReader::read_the_timeline(Statement& row, Trial& trial) {
  return each_row(*database_, row, 1, "timeline", [&] {
    auto timeline = read_timeline(row.text(0));
    if (timeline) trial.timeline = std::move(*timeline);
    return timeline.has_value();
  });
}

Result<> RunReader::read_the_schedule(Statement& row, Trial& trial) {
  return each_row(*database_, row, 1, "schedule", [&] {
    auto schedule = read_schedule(row.text(0));
    if (schedule) trial.schedule = std::move(*schedule);
    return schedule.has_value();
  });
}

Result<> RunReader::read_ledger(Statement& rows, Trial& trial) {
  return each_row(*database_, rows, kMostEntries, "ledger", [&] {
    const std::int64_t cpu = rows.number(0, LedgerEntry::kUnknownCpu);
    const std::string* domain = string(rows.count(1));
    const std::string* layer_text = string(rows.count(2));
    const std::string* part_text = string(rows.count(3));
    const std::string* kind = string(rows.count(4));
    if (domain == nullptr || layer_text == nullptr || part_text == nullptr || kind == nullptr) return false;
    const auto layer = layer_named(*layer_text);
    const auto part = part_named(*part_text);
    if (!layer || !part || cpu > std::numeric_limits<std::uint16_t>::max()) return false;
    trial.ledger.push_back({static_cast<int>(cpu), *domain, *layer, *part, *kind, rows.count(5)});
    return true;
  });
}

Result<> RunReader::read_functions(Statement& rows, Trial& trial) {
  return each_row(*database_, rows, kMostFunctions, "function", [&] {
    const std::string* domain = string(rows.count(0));
    const std::string* layer_text = string(rows.count(1));
    const std::string* part_text = string(rows.count(2));
    const std::string* image = string(rows.count(3));
    const std::string* function = string(rows.count(4));
    if (domain == nullptr || layer_text == nullptr || part_text == nullptr) return false;
    if (image == nullptr || function == nullptr) return false;
    const auto layer = layer_named(*layer_text);
    const auto part = part_named(*part_text);
    if (!layer || !part) return false;
    const std::int64_t calls = rows.number(6, -1);  // -1: not counted
    trial.functions.push_back({*domain, *layer, *part, *image, *function, Instructions(rows.count(5)),
                               calls < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(calls))});
    return true;
  });
}

Result<> RunReader::for_each(Detail detail, const std::function<Result<>(const Trial&)>& use) {
  return for_each(
      detail, [](const Trial&) { return true; }, use);
}

Result<> RunReader::for_each(Detail detail, const std::function<bool(const Trial&)>& wanted,
                             const std::function<Result<>(const Trial&)>& use) {
  std::vector<Statement> rows;
  for (const char* sql :
       {"SELECT id, repetition, factors, error, digest, bytes, packets, transactions, machine_instructions,"
        " peer_instructions, window_virtual_ns, elapsed_host_ns, provenance FROM trial ORDER BY id",
        "SELECT side, domain, device, received_packets, sent_packets, received_bytes, sent_bytes FROM device"
        " WHERE trial = ? ORDER BY place",
        "SELECT cpu, domain, layer, part, kind, value FROM ledger WHERE trial = ? ORDER BY place",
        is_sealed() ? "SELECT domain, layer, part, image, function, instructions, ifnull(calls, -1)"
                      " FROM function LEFT JOIN call USING (trial, place) WHERE trial = ? ORDER BY place"
                    : "SELECT domain, layer, part, image, function, instructions, -1 FROM function"
                      " WHERE trial = ? ORDER BY place",
        schema_version_ == 1 ? "SELECT 0, 0, 0, 0 FROM trial WHERE id = ? AND 0"
                             : "SELECT guest, bytes, transactions, virtual_ns FROM guest_work WHERE trial = "
                               "? ORDER BY place",
        schema_version_ < 3 ? "SELECT '' FROM trial WHERE id = ? AND 0"
                            : "SELECT json FROM timeline WHERE trial = ?",
        is_sealed() ? "SELECT sha256 FROM seal WHERE id = ? + 1" : "SELECT '' FROM trial WHERE id = ? AND 0",
        schema_version_ < 5
            ? "SELECT 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM trial WHERE id = ? AND 0"
            : "SELECT guest, count, sum_ns, least_ns, p50_ns, p90_ns, p99_ns, p999_ns, most_ns"
              " FROM waiting WHERE trial = ? ORDER BY place",
        schema_version_ < 5 ? "SELECT 0, 0, 0 FROM trial WHERE id = ? AND 0"
                            : "SELECT cpu, domain, ns FROM busy WHERE trial = ? ORDER BY place",
        schema_version_ < 6 ? "SELECT '' FROM trial WHERE id = ? AND 0"
                            : "SELECT json FROM schedule WHERE trial = ?"}) {
    auto statement = database_->prepare(sql);
    if (!statement) return fail(statement.error());
    rows.push_back(std::move(*statement));
  }
  int code = SQLITE_ROW;
  while ((code = rows[0].step()) == SQLITE_ROW) {
    auto trial = read_trial(rows[0]);
    if (!trial) return fail(trial.error());
    const bool is_wanted = wanted(*trial);
    if (!is_wanted && is_checked_) continue;
    for (std::size_t i = 1; i < rows.size(); ++i) {
      rows[i].reset();
      rows[i].bind(1, trial->index);
    }
    if (auto read = read_devices(rows[1], *trial); !read) return read;
    if (auto read = read_ledger(rows[2], *trial); !read) return read;
    if (auto read = read_guests(rows[4], *trial); !read) return read;
    if (auto read = read_waiting(rows[7], *trial); !read) return read;
    if (auto read = read_busy(rows[8], *trial); !read) return read;
    // The first pass checks all of the file, whatever it is asked for, so that no reader shows what another
    // calls damaged.
    if (detail == Detail::all || !is_checked_) {
      if (auto read = read_the_timeline(rows[5], *trial); !read) return read;
      if (auto read = read_the_schedule(rows[9], *trial); !read) return read;
      if (auto read = read_functions(rows[3], *trial); !read) return read;
      if (auto checked = check(*trial); !checked) return fail(database_->damaged(checked.error().why));
      if (is_sealed() && !is_checked_)
        if (auto sealed = check_seal(rows[6], *trial); !sealed) return sealed;
    }
    if (detail == Detail::costs) {
      trial->functions.clear();
      trial->timeline = {};
      trial->schedule = {};
    }
    if (!is_wanted) continue;
    if (auto used = use(*trial); !used) return used;
  }
  if (code != SQLITE_DONE) return fail(database_->error(code));
  is_checked_ = true;  // the open transaction keeps the file as it was read
  return {};
}

Result<Run> RunReader::all() {
  Run run = header_;
  auto read = for_each(Detail::all, [&](const Trial& trial) {
    run.trials.push_back(trial);
    return Result<>();
  });
  if (!read) return fail(read.error());
  return run;
}

}  // namespace vtax
