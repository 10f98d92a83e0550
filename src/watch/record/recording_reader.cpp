#include "watch/record/recording_reader.h"

#include <fmt/format.h>

#include <limits>
#include <sstream>
#include <utility>

#include "core/input_file.h"
#include "core/readable.h"
#include "core/sha256.h"
#include "record/schema.h"
#include "watch/record/recording_schema.h"
#include "watch/show/figures.h"
#include "watch/show/json.h"

namespace vtax::watch {
namespace {

// Limits on what a hostile file can make the reader hold.
constexpr std::size_t kMostBytesOfStrings = 256U << 20U;
constexpr std::size_t kMostRowsOfReading = 1'000'000;

// Steps through rows, calling `use` for each; false from `use` means that the row is malformed.
template <class Use>
Result<> each_of(const Database& database, Statement& rows, const char* table, const Use& use) {
  std::size_t seen = 0;
  int code = SQLITE_ROW;
  while ((code = rows.step()) == SQLITE_ROW) {
    if (++seen > kMostRowsOfReading)
      return fail(database.damaged(fmt::format("table {} is too large", table)));
    if (!use() || !rows.well_formed())
      return fail(database.damaged(fmt::format("a row of table {} is wrong", table)));
  }
  return code == SQLITE_DONE ? Result<>() : fail(database.error(code));
}

OtherTime other_at(Statement& row, int column) {
  OtherTime out;
  for (const auto member : {&OtherTime::driver_ns, &OtherTime::uncharged_ns, &OtherTime::elsewhere_ns,
                            &OtherTime::vtax_ns, &OtherTime::stolen_ns, &OtherTime::idle_ns})
    out.*member = row.count(column++);
  return out;
}

// Either all of it is known or nothing.
template <class Use, class... Members>
bool read_use(Statement& row, int column, std::optional<Use>& use, Members... members) {
  int known = 0;
  Use read;
  const auto one = [&](auto member) {
    if (const auto value = row.count_or_null(column++)) {
      read.*member = *value;
      ++known;
    }
  };
  (one(members), ...);
  if (known == static_cast<int>(sizeof...(members))) use = read;
  return known == 0 || known == static_cast<int>(sizeof...(members));
}

std::optional<int> small_number(std::uint64_t value) {
  return value <= std::numeric_limits<std::uint16_t>::max() ? std::optional(static_cast<int>(value))
                                                            : std::nullopt;
}

}  // namespace

struct RecordingReader::Rows {
  Statement readings, guests, virtual_cpus, cpus, notes;
};

bool is_recording(const std::filesystem::path& file) {
  if (!open_input(file, "")) return false;
  auto database = Database::open(file, Database::Mode::read, "");
  if (!database) return false;
  const auto application = database->count("PRAGMA application_id");
  const auto version = database->count("PRAGMA user_version");
  return application && version && *application == kApplicationId && *version >= kRecordingVersion;
}

Result<RecordingReader> RecordingReader::open(const std::filesystem::path& file) {
  const std::string what = fmt::format("cannot read recording {}", printable(file.string(), 200));
  if (const auto input = open_input(file, what); !input) return fail(input.error());
  auto database = Database::open(file, Database::Mode::read, what);
  if (!database) return fail(database.error());
  if (auto begun = database->run("BEGIN"); !begun) return fail(begun.error());
  if (auto checked = check_recording_schema(*database); !checked) return fail(checked.error());
  RecordingReader reader(std::move(*database));
  if (auto loaded = reader.load(); !loaded) return fail(loaded.error());
  return reader;
}

Result<> RecordingReader::load() {
  auto header = database_->prepare(
      "SELECT vtax_version, started_utc, delay_ns, (SELECT count(*) FROM reading) FROM recording");
  if (!header) return fail(header.error());
  auto read = each_of(*database_, *header, "recording", [&] {
    header_ = {std::string(header->text(0)), std::string(header->text(1)), header->count(2),
               header->count(3)};
    return true;
  });
  if (!read) return read;
  // Seals say nothing of a reading that is gone; what belonged to it does.
  const auto orphans = database_->count(
      "SELECT count(*) FROM (SELECT max(reading) AS last FROM guest UNION ALL SELECT max(reading) FROM cpu"
      " UNION ALL SELECT max(reading) FROM note) WHERE last > (SELECT ifnull(max(id), 0) FROM reading)");
  if (!orphans) return fail(orphans.error());
  if (*orphans > 0) return fail(database_->damaged("its last readings are missing"));
  auto rows = database_->prepare("SELECT id, text FROM string ORDER BY id");
  if (!rows) return fail(rows.error());
  std::size_t bytes = 0;
  return each_of(*database_, *rows, "string", [&] {
    const std::string_view text = rows->text(1);
    bytes += text.size();
    if (rows->count(0) != strings_.size() + 1 || bytes > kMostBytesOfStrings) return false;
    strings_.emplace_back(text);
    return true;
  });
}

const std::string* RecordingReader::string(std::uint64_t id) const {
  return id == 0 || id > strings_.size() ? nullptr : &strings_[id - 1];
}

Result<> RecordingReader::for_each(const std::function<Result<>(const Reading&)>& use) {
  std::vector<Statement> made;
  for (const char* sql :
       {"SELECT * FROM reading ORDER BY id", "SELECT * FROM guest WHERE reading = ? ORDER BY place",
        "SELECT * FROM virtual_cpu WHERE reading = ? ORDER BY guest, place",
        "SELECT * FROM cpu WHERE reading = ? ORDER BY place",
        "SELECT * FROM note WHERE reading = ? ORDER BY place"}) {
    auto statement = database_->prepare(sql);
    if (!statement) return fail(statement.error());
    made.push_back(std::move(*statement));
  }
  Rows rows{std::move(made[0]), std::move(made[1]), std::move(made[2]), std::move(made[3]),
            std::move(made[4])};
  int code = SQLITE_ROW;
  std::uint64_t last = 0;
  while ((code = rows.readings.step()) == SQLITE_ROW) {
    const auto reading = read(rows);
    if (!reading) return fail(reading.error());
    if (last != 0 && reading->number != last + 1)
      return fail(database_->damaged(fmt::format("what followed reading {} is missing", last)));
    last = reading->number;
    if (auto used = use(*reading); !used) return used;
  }
  return code == SQLITE_DONE ? Result<>() : fail(database_->error(code));
}

Result<Reading> RecordingReader::read(Rows& rows) {
  Statement& row = rows.readings;
  Reading out;
  out.number = row.count(0);
  out.at = std::chrono::system_clock::time_point(std::chrono::nanoseconds(row.count(1)));
  out.interval = std::chrono::nanoseconds(row.count(2));
  const std::string *driver = string(row.count(3)), *charge = string(row.count(4)),
                    *shared = string(row.count(5));
  const auto wrong = [&] {
    return fail(database_->damaged(fmt::format("reading {} is not as it was written", out.number)));
  };
  if (driver == nullptr || charge == nullptr || shared == nullptr || out.interval.count() <= 0)
    return wrong();
  const auto charge_by = charge_named(*charge);
  if (!charge_by) return wrong();
  out.driver = *driver;
  out.charge_by = *charge_by;
  out.shared_by = *shared;
  out.all_cpus_ns = row.count(6);
  out.other = other_at(row, 7);
  const std::string seal(row.text(13));
  if (!row.well_formed()) return wrong();
  if (auto read = read_details(rows, out); !read) return fail(read.error());
  std::ostringstream json;
  write_json_line(out, json);
  if (sha256_hex(json.str()) != seal) return wrong();
  return out;
}

Result<> RecordingReader::read_details(Rows& rows, Reading& reading) {
  for (Statement* one : {&rows.guests, &rows.virtual_cpus, &rows.cpus, &rows.notes}) {
    one->reset();
    one->bind(1, reading.number);
  }
  Statement& g = rows.guests;
  auto read = each_of(*database_, g, "guest", [&] {
    const std::string *name = string(g.count(2)), *id = string(g.count(3)), *found_by = string(g.count(4)),
                      *kind = string(g.count(5));
    if (name == nullptr || id == nullptr || found_by == nullptr || kind == nullptr) return false;
    const auto known = kind_named(*kind);
    if (!known || g.count(1) != reading.guests.size()) return false;
    GuestUse guest;
    guest.name = *name;
    guest.id = *id;
    guest.found_by = *found_by;
    guest.kind = *known;
    guest.paused = g.count(6) != 0;
    guest.own_ns = g.count(7);
    guest.caused = {g.count(8), g.count(9), g.count(10)};
    int column = 11;
    for (std::optional<std::uint64_t>* value :
         {&guest.waiting_ns, &guest.blocked_ns, &guest.switches, &guest.exits, &guest.busy_so_far_ns,
          &guest.memory.given_bytes, &guest.memory.used_bytes, &guest.memory.balloon_bytes})
      *value = g.count_or_null(column++);
    const bool is_whole =
        read_use(g, 19, guest.network, &NetworkUse::received_packets, &NetworkUse::sent_packets,
                 &NetworkUse::received_bytes, &NetworkUse::sent_bytes, &NetworkUse::drops) &&
        read_use(g, 24, guest.disk, &DiskUse::reads, &DiskUse::writes, &DiskUse::read_bytes,
                 &DiskUse::written_bytes);
    reading.guests.push_back(std::move(guest));
    return is_whole;
  });
  if (!read) return read;
  Statement& v = rows.virtual_cpus;
  read = each_of(*database_, v, "virtual_cpu", [&] {
    const auto number = small_number(v.count(3));
    if (v.count(1) >= reading.guests.size() || !number) return false;
    VirtualCpuUse one{*number, v.count(4), v.count_or_null(5), v.count_or_null(6), {}};
    if (const auto cpu = v.count_or_null(7)) one.cpu = small_number(*cpu);
    reading.guests[v.count(1)].virtual_cpus.push_back(one);
    return true;
  });
  if (!read) return read;
  Statement& c = rows.cpus;
  read = each_of(*database_, c, "cpu", [&] {
    const auto number = small_number(c.count(2));
    if (number) reading.cpus.push_back({*number, c.count(3), c.count(4), other_at(c, 5)});
    return number.has_value();
  });
  if (!read) return read;
  Statement& n = rows.notes;
  return each_of(*database_, n, "note", [&] {
    const std::string* text = string(n.count(3));
    const std::uint64_t kind = n.count(2);
    if (text == nullptr || kind > 2) return false;
    (kind == 0 ? reading.came : kind == 1 ? reading.gone : reading.missing).push_back(*text);
    return true;
  });
}

}  // namespace vtax::watch
