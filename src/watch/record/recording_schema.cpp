#include "watch/record/recording_schema.h"

#include <fmt/format.h>

#include <array>

#include "record/schema.h"

namespace vtax::watch {
namespace {

constexpr std::array kTables{
    R"(CREATE TABLE recording(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  vtax_version TEXT NOT NULL,
  started_utc TEXT NOT NULL,    -- ISO 8601
  delay_ns INTEGER NOT NULL     -- between readings, as it was asked for
) STRICT)",
    R"(CREATE TABLE string(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT)",
    R"(CREATE TABLE reading(
  id INTEGER PRIMARY KEY,       -- its number
  at_ns INTEGER NOT NULL,       -- the interval's end, since 1970
  interval_ns INTEGER NOT NULL,
  driver INTEGER NOT NULL REFERENCES string(id),
  charge_by INTEGER NOT NULL REFERENCES string(id),
  shared_by INTEGER NOT NULL REFERENCES string(id),
  all_cpus_ns INTEGER NOT NULL,
  driver_ns INTEGER NOT NULL,
  uncharged_ns INTEGER NOT NULL,
  elsewhere_ns INTEGER NOT NULL,
  vtax_ns INTEGER NOT NULL,
  stolen_ns INTEGER NOT NULL,
  idle_ns INTEGER NOT NULL,
  sha256 TEXT NOT NULL          -- of its line of JSON (watch/show/json.h)
) STRICT)",
    R"(CREATE TABLE guest(
  reading INTEGER NOT NULL REFERENCES reading(id),
  place INTEGER NOT NULL,
  name INTEGER NOT NULL REFERENCES string(id),
  host_id INTEGER NOT NULL REFERENCES string(id),
  found_by INTEGER NOT NULL REFERENCES string(id),
  kind INTEGER NOT NULL REFERENCES string(id),
  paused INTEGER NOT NULL,
  own_ns INTEGER NOT NULL,
  caused_threads_ns INTEGER NOT NULL,
  caused_packets_ns INTEGER NOT NULL,
  caused_shared_ns INTEGER NOT NULL,
  waiting_ns INTEGER,
  blocked_ns INTEGER,
  switches INTEGER,
  exits INTEGER,
  busy_so_far_ns INTEGER,
  memory_given_bytes INTEGER,
  memory_used_bytes INTEGER,
  memory_balloon_bytes INTEGER,
  received_packets INTEGER,
  sent_packets INTEGER,
  received_bytes INTEGER,
  sent_bytes INTEGER,
  drops INTEGER,
  disk_reads INTEGER,
  disk_writes INTEGER,
  disk_read_bytes INTEGER,
  disk_written_bytes INTEGER,
  PRIMARY KEY (reading, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE virtual_cpu(
  reading INTEGER NOT NULL REFERENCES reading(id),
  guest INTEGER NOT NULL,       -- its place
  place INTEGER NOT NULL,
  number INTEGER NOT NULL,
  own_ns INTEGER NOT NULL,
  waiting_ns INTEGER,
  blocked_ns INTEGER,
  cpu INTEGER,
  PRIMARY KEY (reading, guest, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE cpu(
  reading INTEGER NOT NULL REFERENCES reading(id),
  place INTEGER NOT NULL,
  number INTEGER NOT NULL,
  guests_ns INTEGER NOT NULL,
  caused_ns INTEGER NOT NULL,
  driver_ns INTEGER NOT NULL,
  uncharged_ns INTEGER NOT NULL,
  elsewhere_ns INTEGER NOT NULL,
  vtax_ns INTEGER NOT NULL,
  stolen_ns INTEGER NOT NULL,
  idle_ns INTEGER NOT NULL,
  PRIMARY KEY (reading, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE note(
  reading INTEGER NOT NULL REFERENCES reading(id),
  place INTEGER NOT NULL,
  kind INTEGER NOT NULL,        -- 0 came, 1 gone, 2 missing
  text INTEGER NOT NULL REFERENCES string(id),
  PRIMARY KEY (reading, place)
) STRICT, WITHOUT ROWID)",
};

}  // namespace

Result<> create_recording_schema(Database& database) {
  for (const char* sql : kTables)
    if (auto made = database.run(sql); !made) return made;
  return database.run(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, kRecordingVersion)
          .c_str());
}

Result<> check_recording_schema(Database& database) {
  const auto application = database.count("PRAGMA application_id");
  if (!application) return fail(application.error());
  if (*application != kApplicationId) return fail(database.error(SQLITE_NOTADB));
  const auto version = database.count("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version < kRecordingVersion)
    return fail({database.what(), "it is a run of trials, no recording of `vtax top`", ""});
  if (*version > kRecordingVersion) return fail({database.what(), "a newer vtax wrote it", "update vtax"});
  auto objects = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid");
  if (!objects) return fail(objects.error());
  for (const char* sql : kTables) {
    const int code = objects->step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return fail(database.error(code));
    if (code == SQLITE_DONE || objects->text(0) != sql)
      return fail(database.damaged("its tables are not vtax's"));
  }
  if (objects->step() != SQLITE_DONE) return fail(database.damaged("it holds tables that are not vtax's"));
  return {};
}

}  // namespace vtax::watch
