#include "record/schema.h"

#include <fmt/format.h>

#include <array>

namespace vtax {
namespace {

constexpr std::array<const char*, 16> kObjects{
    R"(CREATE TABLE run(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  study TEXT NOT NULL,
  question TEXT NOT NULL,
  study_source TEXT NOT NULL,
  settings TEXT NOT NULL,       -- JSON
  vtax_version TEXT NOT NULL,
  started_utc TEXT NOT NULL,    -- ISO 8601
  machine TEXT NOT NULL,        -- JSON
  planned_trials INTEGER NOT NULL
) STRICT)",
    R"(CREATE TABLE string(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT)",
    R"(CREATE TABLE provenance(id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE) STRICT)",
    R"(CREATE TABLE trial(
  id INTEGER PRIMARY KEY,       -- place in the plan
  repetition INTEGER NOT NULL,
  factors TEXT NOT NULL,        -- JSON object of strings
  error TEXT NOT NULL,          -- '' when the trial ended
  digest TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  packets INTEGER NOT NULL,
  transactions INTEGER NOT NULL,
  machine_instructions INTEGER NOT NULL,
  peer_instructions INTEGER NOT NULL,
  window_virtual_ns INTEGER NOT NULL,
  elapsed_host_ns INTEGER NOT NULL,
  provenance INTEGER NOT NULL REFERENCES provenance(id)
) STRICT)",
    R"(CREATE TABLE device(
  trial INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  side INTEGER NOT NULL REFERENCES string(id),
  domain INTEGER NOT NULL REFERENCES string(id),
  device INTEGER NOT NULL REFERENCES string(id),
  received_packets INTEGER NOT NULL,
  sent_packets INTEGER NOT NULL,
  received_bytes INTEGER NOT NULL,
  sent_bytes INTEGER NOT NULL,
  PRIMARY KEY (trial, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE ledger(
  trial INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  cpu INTEGER NOT NULL,
  domain INTEGER NOT NULL REFERENCES string(id),
  layer INTEGER NOT NULL REFERENCES string(id),
  part INTEGER NOT NULL REFERENCES string(id),
  kind INTEGER NOT NULL REFERENCES string(id),
  value INTEGER NOT NULL,
  PRIMARY KEY (trial, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE function(
  trial INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  domain INTEGER NOT NULL REFERENCES string(id),
  layer INTEGER NOT NULL REFERENCES string(id),
  part INTEGER NOT NULL REFERENCES string(id),
  image INTEGER NOT NULL REFERENCES string(id),
  function INTEGER NOT NULL REFERENCES string(id),
  instructions INTEGER NOT NULL,
  PRIMARY KEY (trial, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE VIEW ledger_in_words AS SELECT trial, cpu, d.text AS domain, l.text AS layer, p.text AS part,
  k.text AS kind, value FROM ledger JOIN string d ON d.id = domain JOIN string l ON l.id = layer
  JOIN string p ON p.id = part JOIN string k ON k.id = kind)",
    R"(CREATE VIEW function_in_words AS SELECT trial, d.text AS domain, l.text AS layer, p.text AS part,
  i.text AS image, f.text AS function, instructions FROM function JOIN string d ON d.id = domain
  JOIN string l ON l.id = layer JOIN string p ON p.id = part JOIN string i ON i.id = image
  JOIN string f ON f.id = function)",
    // New ones come at the end: an older file has those before them.
    R"(CREATE TABLE guest_work(
  trial INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  guest INTEGER NOT NULL REFERENCES string(id),
  bytes INTEGER NOT NULL,
  transactions INTEGER NOT NULL,
  virtual_ns INTEGER NOT NULL,
  PRIMARY KEY (trial, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE timeline(
  trial INTEGER PRIMARY KEY REFERENCES trial(id) ON DELETE CASCADE,
  json TEXT NOT NULL            -- record/timeline_text.h
) STRICT)",
    R"(CREATE TABLE call(
  trial INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,       -- the function's
  calls INTEGER NOT NULL,
  PRIMARY KEY (trial, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE seal(
  id INTEGER PRIMARY KEY,       -- 0: of table run; else the trial's, and 1
  sha256 TEXT NOT NULL          -- record/seal.h
) STRICT)",
    R"(CREATE TABLE waiting(
  trial INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  guest INTEGER NOT NULL REFERENCES string(id),
  count INTEGER NOT NULL,
  sum_ns INTEGER NOT NULL,
  least_ns INTEGER NOT NULL,
  p50_ns INTEGER NOT NULL,
  p90_ns INTEGER NOT NULL,
  p99_ns INTEGER NOT NULL,
  p999_ns INTEGER NOT NULL,
  most_ns INTEGER NOT NULL,
  PRIMARY KEY (trial, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE busy(
  trial INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  cpu INTEGER NOT NULL,
  domain INTEGER NOT NULL REFERENCES string(id),
  ns INTEGER NOT NULL,
  PRIMARY KEY (trial, place)
) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE schedule(
  trial INTEGER PRIMARY KEY REFERENCES trial(id) ON DELETE CASCADE,
  json TEXT NOT NULL            -- record/schedule_text.h
) STRICT)",
};
constexpr std::array<std::size_t, kSchemaVersion> kObjectsOfVersion{9, 10, 11, 11, 15, 16};

}  // namespace

Result<> create_schema(Database& database) {
  for (const char* sql : kObjects) {
    if (auto made = database.run(sql); !made) return made;
  }
  return database.run(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, kSchemaVersion)
          .c_str());
}

Result<std::uint32_t> check_schema(Database& database) {
  auto application = database.count("PRAGMA application_id");
  if (!application || *application != kApplicationId) return fail(database.error(SQLITE_NOTADB));
  auto version = database.count("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version >= kFirstVersionWithoutTrials)
    return fail({database.what(), "it is a recording of `vtax top`, which has no trials",
                 "`vtax report` shows it, and `vtax compare` sets it beside another recording"});
  if (*version > kSchemaVersion) {
    return fail({database.what(),
                 fmt::format("a newer vtax wrote it: its schema is {}, this vtax reads up to {}", *version,
                             kSchemaVersion),
                 "update vtax"});
  }
  if (*version == 0) return fail(database.damaged("its tables are not vtax's"));
  // Automatic indexes have no SQL.
  auto objects = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid");
  if (!objects) return fail(objects.error());
  for (std::size_t i = 0; i < kObjectsOfVersion[*version - 1]; ++i) {
    const int code = objects->step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return fail(database.error(code));
    if (code == SQLITE_DONE || objects->text(0) != kObjects[i])
      return fail(database.damaged("its tables are not vtax's"));
  }
  if (objects->step() != SQLITE_DONE) return fail(database.damaged("it holds tables that are not vtax's"));
  return static_cast<std::uint32_t>(*version);
}

Result<bool> is_blank(Database& database) {
  auto objects = database.count("SELECT count(*) FROM sqlite_schema");
  if (!objects) return fail(objects.error());
  auto application = database.count("PRAGMA application_id");
  if (!application) return fail(application.error());
  return *objects == 0 && (*application == 0 || *application == kApplicationId);
}

}  // namespace vtax
