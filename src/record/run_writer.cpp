#include "record/run_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/input_file.h"
#include "core/readable.h"
#include "record/new_row.h"
#include "record/run_header.h"
#include "record/run_reader.h"
#include "record/schedule_text.h"
#include "record/schema.h"
#include "record/seal.h"
#include "record/timeline_text.h"
#include "record/trial_check.h"

namespace vtax {

struct RunWriter::Statements {
  Statement trial, device, ledger, function, string, provenance, find_provenance, forget, guest_work,
      timeline, call, seal, waiting, busy, schedule;
};

namespace {

std::string what_of(const std::filesystem::path& file) {
  return fmt::format("cannot write run file {}", printable(file.string(), 200));
}

// A guest's last words may hold anything.
std::string clean(const std::string& text) {
  return is_text(text) ? text : printable(text, text.size());
}

// What a file holds already is as foreign to who goes on with it as to any reader.
Result<> check_stored(const std::filesystem::path& file) {
  auto reader = RunReader::open(file);
  if (!reader) return fail(reader.error());
  return reader->for_each(RunReader::Detail::costs, [](const Trial&) { return Result<>(); });
}

}  // namespace

RunWriter::RunWriter(FileLock lock, Database database)
    : lock_(std::move(lock)),
      database_(std::make_unique<Database>(std::move(database))),
      what_(database_->what()) {}

RunWriter::~RunWriter() {
  if (database_ != nullptr) close();
}

Result<RunWriter> RunWriter::create(const std::filesystem::path& file, const Run& header) {
  const std::string what = what_of(file);
  auto lock = FileLock::take(file, FileLock::Open::create_new, what);
  if (!lock) return fail(lock.error());
  const auto give_up = [&](Error error) {
    std::error_code ignored;
    for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
      std::filesystem::remove(file.string() + ending, ignored);
    }
    return fail(std::move(error));
  };
  auto database = Database::open(file, Database::Mode::write, what);
  if (!database) return give_up(database.error());
  RunWriter writer(std::move(*lock), std::move(*database));
  if (auto written = writer.write_header(header); !written) return give_up(written.error());
  if (auto prepared = writer.prepare(); !prepared) return give_up(prepared.error());
  return writer;
}

Result<RunWriter> RunWriter::resume(const std::filesystem::path& file, const Run& header) {
  const std::string what = what_of(file);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return create(file, header);
  if (const auto input = open_input(file, what); !input) return fail(input.error());
  auto lock = FileLock::take(file, FileLock::Open::existing, what);
  if (!lock) return fail(lock.error());
  auto database = Database::open(file, Database::Mode::write, what);
  if (!database) return fail(database.error());
  auto blank = is_blank(*database);
  if (!blank) return fail(blank.error());
  RunWriter writer(std::move(*lock), std::move(*database));
  auto begun = *blank ? writer.write_header(header) : writer.check_header(header);
  if (!begun) return fail(begun.error());
  if (auto sound = check_stored(file); !sound) return fail(sound.error());
  if (auto prepared = writer.prepare(); !prepared) return fail(prepared.error());
  if (auto loaded = writer.load_known(); !loaded) return fail(loaded.error());
  return writer;
}

Result<> RunWriter::prepare() {
  if (auto set =
          database_->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
      !set) {
    return set;
  }
  std::vector<Statement> made;
  for (const char* sql :
       {"INSERT INTO trial VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        "INSERT INTO function VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "INSERT INTO string VALUES (?, ?)",
        "INSERT INTO provenance(json) VALUES (?) ON CONFLICT DO NOTHING",
        "SELECT id FROM provenance WHERE json = ?", "DELETE FROM trial WHERE id = ? AND error <> ''",
        "INSERT INTO guest_work VALUES (?, ?, ?, ?, ?, ?)", "INSERT INTO timeline VALUES (?, ?)",
        "INSERT INTO call VALUES (?, ?, ?)", "INSERT OR REPLACE INTO seal VALUES (?, ?)",
        "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "INSERT INTO busy VALUES (?, ?, ?, ?, ?)", "INSERT INTO schedule VALUES (?, ?)"}) {
    auto statement = database_->prepare(sql);
    if (!statement) return fail(statement.error());
    made.push_back(std::move(*statement));
  }
  statements_ = std::make_unique<Statements>(
      Statements{std::move(made[0]), std::move(made[1]), std::move(made[2]), std::move(made[3]),
                 std::move(made[4]), std::move(made[5]), std::move(made[6]), std::move(made[7]),
                 std::move(made[8]), std::move(made[9]), std::move(made[10]), std::move(made[11]),
                 std::move(made[12]), std::move(made[13]), std::move(made[14])});
  return {};
}

Result<> RunWriter::count_as_a_whole() {
  return database_->run("PRAGMA synchronous = OFF");
}

Result<> RunWriter::write_header(const Run& header) {
  if (auto begun = database_->run("BEGIN IMMEDIATE"); !begun) return begun;
  if (auto made = create_schema(*database_); !made) return made;
  if (auto written = write_run_header(*database_, header); !written) return written;
  return database_->run("COMMIT");
}

Result<> RunWriter::check_header(const Run& header) {
  const auto version = check_schema(*database_);
  if (!version) return fail(version.error());
  if (*version != kSchemaVersion)
    return fail(
        {what_, "an older vtax began it", "finish it with that vtax, or write to another file by --out"});
  auto stored = read_run_header(*database_);
  if (!stored) return fail(stored.error());
  const std::string differences = resume_differences(*stored, header);
  if (differences.empty()) return {};
  return fail({what_, "it holds another run; " + differences,
               "give the same study and settings, or write to another file by --out"});
}

Result<> RunWriter::be_made_from(const std::string& json) {
  auto stored = read_run_header(*database_);
  if (!stored) return fail(stored.error());
  const auto known = made_from(*stored);
  if (known) {
    const std::string differences = made_from_differences(*known, json);
    if (differences.empty()) return {};
    return fail({what_, "it was made from something else; " + differences,
                 "make it as it was, or write to another file by --out"});
  }
  if (!finished_.empty())
    return fail({what_, "it does not say what its trials were made from: an older vtax began it",
                 "finish it with that vtax, or write to another file by --out"});
  if (auto begun = database_->run("BEGIN IMMEDIATE"); !begun) return begun;
  auto done = set_made_from(*database_, json);
  if (done) done = database_->run("COMMIT");
  if (!done) static_cast<void>(database_->run("ROLLBACK"));
  return done;
}

Result<> RunWriter::load_known() {
  auto trials = database_->prepare("SELECT id FROM trial WHERE error = ''");
  if (!trials) return fail(trials.error());
  int code = SQLITE_ROW;
  while ((code = trials->step()) == SQLITE_ROW) finished_.insert(trials->count(0));
  if (code != SQLITE_DONE) return fail(database_->error(code));
  auto strings = database_->prepare("SELECT id, text FROM string");
  if (!strings) return fail(strings.error());
  while ((code = strings->step()) == SQLITE_ROW) strings_.emplace(strings->text(1), strings->count(0));
  if (code != SQLITE_DONE) return fail(database_->error(code));
  if (!trials->well_formed() || !strings->well_formed())
    return fail(database_->damaged("a name or place in it is wrong"));
  return {};
}

Result<> RunWriter::append(const Trial& trial) {
  if (auto checked = check(trial); !checked) return fail({what_, checked.error().why, "", ExitCode::io});
  if (finished_.count(trial.index) != 0) {
    return fail({what_, fmt::format("it holds trial {} already", number_of(trial.index)), "", ExitCode::io});
  }
  if (auto begun = database_->run("BEGIN IMMEDIATE"); !begun) return begun;
  auto done = insert(trial);
  if (done) done = database_->run("COMMIT");
  if (!done) {
    static_cast<void>(database_->run("ROLLBACK"));  // SQLite may have done it itself
    for (const std::string& text : new_strings_) strings_.erase(text);
  } else if (trial.error.empty()) {
    finished_.insert(trial.index);
  }
  new_strings_.clear();
  return done;
}

Result<std::uint64_t> RunWriter::string_id(const std::string& text) {
  const auto known = strings_.find(text);
  if (known != strings_.end()) return known->second;
  const std::uint64_t id = strings_.size() + 1;
  if (auto added = (NewRow(statements_->string) << id << text).insert(*database_); !added)
    return fail(added.error());
  strings_.emplace(text, id);
  new_strings_.push_back(text);
  return id;
}

Result<std::uint64_t> RunWriter::provenance_id(const std::string& json) {
  if (auto added = (NewRow(statements_->provenance) << json).insert(*database_); !added)
    return fail(added.error());
  Statement& find = statements_->find_provenance;
  find.bind(1, json);
  const int code = find.step();
  const std::uint64_t id = code == SQLITE_ROW ? find.count(0) : 0;
  find.reset();
  if (code != SQLITE_ROW) return fail(database_->error(code));
  return id;
}

Result<> RunWriter::insert(const Trial& trial) {
  const bool ended = trial.error.empty();
  const auto counted = [&](std::uint64_t value) { return ended ? value : 0; };
  if (auto forgotten = (NewRow(statements_->forget) << trial.index).insert(*database_); !forgotten)
    return forgotten;
  auto provenance = provenance_id(trial.provenance);
  if (!provenance) return fail(provenance.error());
  const std::string factors = nlohmann::json(trial.factors).dump();
  const std::string error = clean(trial.error);
  auto inserted = (NewRow(statements_->trial)
                   << trial.index << static_cast<std::uint64_t>(trial.repetition) << factors << error
                   << (ended ? trial.digest : "") << counted(trial.work.bytes.value)
                   << counted(trial.work.packets.value) << counted(trial.work.transactions.value)
                   << counted(trial.machine_total.value) << counted(trial.peer_total.value)
                   << counted(trial.window_virtual_ns) << trial.elapsed_host_ns << *provenance)
                      .insert(*database_);
  if (inserted && ended) inserted = insert_details(trial);
  if (!inserted) return inserted;
  Trial kept = trial;
  kept.error = error;
  const std::string seal = seal_of(kept);
  return (NewRow(statements_->seal) << trial.index + 1 << seal).insert(*database_);
}

Result<> RunWriter::insert_details(const Trial& trial) {
  Error failure;
  bool failed = false;
  const auto id = [&](std::string_view text) -> std::uint64_t {
    auto known = string_id(std::string(text));
    if (!known) {
      failed = true;
      failure = known.error();
    }
    return known.value_or(0);
  };
  const auto insert_row = [&](NewRow& row) {
    if (failed) return;
    if (auto done = row.insert(*database_); !done) {
      failed = true;
      failure = done.error();
    }
  };
  std::uint64_t place = 0;
  for (const DeviceCount& d : trial.devices) {
    NewRow row(statements_->device);
    row << trial.index << place++ << id(d.side) << id(d.domain) << id(d.device) << d.received.value
        << d.sent.value << d.received_bytes.value << d.sent_bytes.value;
    insert_row(row);
  }
  place = 0;
  for (const GuestWork& g : trial.guests) {
    NewRow row(statements_->guest_work);
    row << trial.index << place++ << id(g.guest) << g.bytes.value << g.transactions.value << g.virtual_ns;
    insert_row(row);
  }
  place = 0;
  for (const LedgerEntry& e : trial.ledger) {
    NewRow row(statements_->ledger);
    row << trial.index << place++ << static_cast<std::uint64_t>(e.cpu) << id(e.domain) << id(name(e.layer))
        << id(name(e.part)) << id(e.kind) << e.value;
    insert_row(row);
  }
  place = 0;
  for (const FunctionCost& f : trial.functions) {
    NewRow row(statements_->function);
    row << trial.index << place++ << id(f.domain) << id(name(f.layer)) << id(name(f.part)) << id(f.image)
        << id(f.function) << f.instructions.value;
    insert_row(row);
    if (!f.calls) continue;
    NewRow call(statements_->call);
    call << trial.index << place - 1 << *f.calls;
    insert_row(call);
  }
  place = 0;
  for (const Waiting& w : trial.waiting) {
    NewRow row(statements_->waiting);
    row << trial.index << place++ << id(w.guest) << w.count << w.sum_ns << w.least_ns << w.p50_ns << w.p90_ns
        << w.p99_ns << w.p999_ns << w.most_ns;
    insert_row(row);
  }
  place = 0;
  for (const Busy& b : trial.busy) {
    NewRow row(statements_->busy);
    row << trial.index << place++ << static_cast<std::uint64_t>(b.cpu) << id(b.domain) << b.ns;
    insert_row(row);
  }
  if (!trial.timeline.empty()) {
    const std::string text = timeline_text(trial.timeline);
    NewRow row(statements_->timeline);
    row << trial.index << std::string_view(text);
    insert_row(row);
  }
  if (!trial.schedule.empty()) {
    const std::string text = schedule_text(trial.schedule);
    NewRow row(statements_->schedule);
    row << trial.index << std::string_view(text);
    insert_row(row);
  }
  return failed ? fail(std::move(failure)) : Result<>();
}

void RunWriter::close() {
  statements_.reset();
  // Refused while somebody reads; the file is then whole together with its -wal.
  static_cast<void>(database_->run("PRAGMA wal_checkpoint(TRUNCATE)"));
  static_cast<void>(database_->run("PRAGMA journal_mode = DELETE"));
  database_.reset();
}

}  // namespace vtax
