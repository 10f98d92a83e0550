#include "watch/record/recording_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "core/readable.h"
#include "core/sha256.h"
#include "record/new_row.h"
#include "watch/record/recording_schema.h"
#include "watch/show/figures.h"
#include "watch/show/json.h"

namespace vtax::watch {

struct RecordingWriter::Statements {
  Statement string, reading, guest, virtual_cpu, cpu, note;
};

namespace {

// Texts that are looked up without a question to the file; where guests come and go for weeks it is asked.
constexpr std::size_t kMostKnownStrings = 20'000;

NewRow& operator<<(NewRow& row, const OtherTime& other) {
  return row << other.driver_ns << other.uncharged_ns << other.elsewhere_ns << other.vtax_ns
             << other.stolen_ns << other.idle_ns;
}

template <class Use, class... Members>
void add_use(NewRow& row, const std::optional<Use>& use, Members... members) {
  ((row << (use ? std::optional<std::uint64_t>((*use).*members) : std::nullopt)), ...);
}

// What a guest is called may be no text.
std::string clean_text(const std::string& text) {
  return is_text(text) ? text : printable(text, text.size());
}

// A recording is not gone on with.
Error of_recording(Error error) {
  if (error.next.find("--resume") == std::string::npos) return error;
  error.next = error.code == ExitCode::io
                   ? "free some space; what was recorded until then is kept, and `vtax report` shows it"
                   : "choose another name by --out";
  return error;
}

}  // namespace

RecordingWriter::RecordingWriter(FileLock lock, Database database)
    : lock_(std::move(lock)), database_(std::make_unique<Database>(std::move(database))) {}

RecordingWriter::RecordingWriter(RecordingWriter&&) noexcept = default;

RecordingWriter::~RecordingWriter() {
  if (database_ == nullptr) return;
  statements_.reset();
  // Refused while somebody reads; the file is then whole together with its -wal.
  static_cast<void>(database_->run("PRAGMA wal_checkpoint(TRUNCATE)"));
  static_cast<void>(database_->run("PRAGMA journal_mode = DELETE"));
}

Result<RecordingWriter> RecordingWriter::create(const std::filesystem::path& file,
                                                std::chrono::nanoseconds delay) {
  const std::string what = fmt::format("cannot write recording {}", printable(file.string(), 200));
  auto lock = FileLock::take(file, FileLock::Open::create_new, what);
  if (!lock) return fail(of_recording(lock.error()));
  const auto give_up = [&](Error error) {
    std::error_code ignored;
    for (const char* ending : {"", "-wal", "-shm", "-journal"})
      std::filesystem::remove(file.string() + ending, ignored);
    return fail(of_recording(std::move(error)));
  };
  auto database = Database::open(file, Database::Mode::write, what);
  if (!database) return give_up(database.error());
  RecordingWriter writer(std::move(*lock), std::move(*database));
  if (auto begun = writer.database_->run("BEGIN IMMEDIATE"); !begun) return give_up(begun.error());
  if (auto made = create_recording_schema(*writer.database_); !made) return give_up(made.error());
  auto header = writer.database_->prepare("INSERT INTO recording VALUES (1, ?, ?, ?)");
  if (!header) return give_up(header.error());
  const std::string started = utc_text(std::chrono::system_clock::now());
  NewRow row(*header);
  row << std::string_view(VTAX_VERSION) << std::string_view(started)
      << static_cast<std::uint64_t>(delay.count());
  if (auto written = row.insert(*writer.database_); !written) return give_up(written.error());
  if (auto done = writer.database_->run("COMMIT"); !done) return give_up(done.error());
  if (auto prepared = writer.prepare(); !prepared) return give_up(prepared.error());
  return writer;
}

Result<> RecordingWriter::prepare() {
  // A reading is not worth a wait for the disk: a killed process loses nothing by it.
  if (auto set = database_->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"); !set) return set;
  std::vector<Statement> made;
  for (const auto& [table, columns] :
       {std::pair("string", 2), std::pair("reading", 14), std::pair("guest", 28), std::pair("virtual_cpu", 8),
        std::pair("cpu", 11), std::pair("note", 4)}) {
    std::string places = "?";
    for (int i = 1; i < columns; ++i) places += ", ?";
    auto statement = database_->prepare(fmt::format("INSERT INTO {} VALUES ({})", table, places));
    if (!statement) return fail(statement.error());
    made.push_back(std::move(*statement));
  }
  statements_ =
      std::make_unique<Statements>(Statements{std::move(made[0]), std::move(made[1]), std::move(made[2]),
                                              std::move(made[3]), std::move(made[4]), std::move(made[5])});
  return {};
}

Result<> RecordingWriter::append(const Reading& reading) {
  if (auto begun = database_->run("BEGIN IMMEDIATE"); !begun) return fail(of_recording(begun.error()));
  const std::uint64_t first_new = next_string_;
  auto done = insert(reading);
  if (done) done = database_->run("COMMIT");
  if (!done) {
    static_cast<void>(database_->run("ROLLBACK"));  // SQLite may have done it itself
    strings_.clear();
    next_string_ = first_new;
  }
  return done ? done : fail(of_recording(done.error()));
}

Result<std::uint64_t> RecordingWriter::string_id(const std::string& text) {
  const std::string kept = clean_text(text);
  if (const auto known = strings_.find(kept); known != strings_.end()) return known->second;
  if (strings_.size() >= kMostKnownStrings) strings_.clear();
  auto found = database_->prepare("SELECT id FROM string WHERE text = ?");
  if (!found) return fail(found.error());
  found->bind(1, kept);
  const int code = found->step();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return fail(database_->error(code));
  std::uint64_t id = 0;
  if (code == SQLITE_ROW) {
    id = found->count(0);
  } else {
    id = next_string_;
    if (auto added = (NewRow(statements_->string) << id << std::string_view(kept)).insert(*database_); !added)
      return fail(added.error());
    ++next_string_;
  }
  strings_.emplace(kept, id);
  return id;
}

Result<> RecordingWriter::insert(const Reading& reading) {
  const auto driver = string_id(reading.driver),
             charge = string_id(std::string(charge_name(reading.charge_by))),
             shared = string_id(reading.shared_by);
  for (const auto* id : {&driver, &charge, &shared})
    if (!*id) return fail(id->error());
  Reading kept = reading;
  for (GuestUse& guest : kept.guests)
    for (std::string* text : {&guest.name, &guest.id, &guest.found_by}) *text = clean_text(*text);
  for (std::string* text : {&kept.driver, &kept.shared_by}) *text = clean_text(*text);
  for (auto* texts : {&kept.came, &kept.gone, &kept.missing})
    for (std::string& text : *texts) text = clean_text(text);
  std::ostringstream json;
  write_json_line(kept, json);
  const std::string seal = sha256_hex(json.str());
  const auto at = std::chrono::duration_cast<std::chrono::nanoseconds>(reading.at.time_since_epoch()).count();
  NewRow row(statements_->reading);
  row << reading.number << static_cast<std::uint64_t>(at)
      << static_cast<std::uint64_t>(reading.interval.count()) << *driver << *charge << *shared
      << reading.all_cpus_ns << reading.other << std::string_view(seal);
  if (auto inserted = row.insert(*database_); !inserted) return inserted;
  for (std::size_t place = 0; place < reading.guests.size(); ++place)
    if (auto inserted = insert_guest(reading, place); !inserted) return inserted;
  for (std::size_t place = 0; place < reading.cpus.size(); ++place) {
    const CpuUse& cpu = reading.cpus[place];
    NewRow one(statements_->cpu);
    one << reading.number << place << static_cast<std::uint64_t>(cpu.number) << cpu.guests_ns << cpu.caused_ns
        << cpu.other;
    if (auto inserted = one.insert(*database_); !inserted) return inserted;
  }
  return insert_notes(reading);
}

Result<> RecordingWriter::insert_guest(const Reading& reading, std::size_t place) {
  const GuestUse& guest = reading.guests[place];
  const auto name = string_id(guest.name), id = string_id(guest.id), found_by = string_id(guest.found_by),
             kind = string_id(std::string(kind_name(guest.kind)));
  for (const auto* known : {&name, &id, &found_by, &kind})
    if (!*known) return fail(known->error());
  NewRow row(statements_->guest);
  row << reading.number << place << *name << *id << *found_by << *kind << std::uint64_t{guest.paused}
      << guest.own_ns << guest.caused.threads_ns << guest.caused.packets_ns << guest.caused.shared_ns
      << guest.waiting_ns << guest.blocked_ns << guest.switches << guest.exits << guest.busy_so_far_ns
      << guest.memory.given_bytes << guest.memory.used_bytes << guest.memory.balloon_bytes;
  add_use(row, guest.network, &NetworkUse::received_packets, &NetworkUse::sent_packets,
          &NetworkUse::received_bytes, &NetworkUse::sent_bytes, &NetworkUse::drops);
  add_use(row, guest.disk, &DiskUse::reads, &DiskUse::writes, &DiskUse::read_bytes, &DiskUse::written_bytes);
  if (auto inserted = row.insert(*database_); !inserted) return inserted;
  for (std::size_t i = 0; i < guest.virtual_cpus.size(); ++i) {
    const VirtualCpuUse& one = guest.virtual_cpus[i];
    NewRow cpu(statements_->virtual_cpu);
    cpu << reading.number << place << i << static_cast<std::uint64_t>(one.number) << one.own_ns
        << one.waiting_ns << one.blocked_ns
        << (one.cpu ? std::optional(static_cast<std::uint64_t>(*one.cpu)) : std::nullopt);
    if (auto inserted = cpu.insert(*database_); !inserted) return inserted;
  }
  return {};
}

Result<> RecordingWriter::insert_notes(const Reading& reading) {
  std::uint64_t place = 0, kind = 0;
  for (const auto* texts : {&reading.came, &reading.gone, &reading.missing}) {
    for (const std::string& text : *texts) {
      const auto id = string_id(text);
      if (!id) return fail(id.error());
      NewRow row(statements_->note);
      row << reading.number << place++ << kind << *id;
      if (auto inserted = row.insert(*database_); !inserted) return inserted;
    }
    ++kind;
  }
  return {};
}

}  // namespace vtax::watch
