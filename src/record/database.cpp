#include "record/database.h"

#include "core/readable.h"

namespace vtax {
namespace {

constexpr int kLongestValue = 64 << 20;  // bytes of one text: far above any provenance

// The file is foreign until its schema is checked: nothing in it may run.
void distrust(sqlite3* connection) {
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, kLongestValue);
  sqlite3_busy_timeout(connection, 5000);
}

}  // namespace

void Statement::bind(int parameter, std::uint64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, static_cast<sqlite3_int64>(value));
}

void Statement::bind(int parameter, const std::optional<std::uint64_t>& value) {
  if (value)
    bind(parameter, *value);
  else
    sqlite3_bind_null(statement_.get(), parameter);
}

void Statement::bind(int parameter, std::string_view text) {
  const char* data = text.empty() ? "" : text.data();  // a null pointer would bind NULL
  sqlite3_bind_text64(statement_.get(), parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

std::int64_t Statement::number(int column, std::int64_t least) {
  const sqlite3_int64 value = sqlite3_column_int64(statement_.get(), column);
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER && value >= least) return value;
  well_formed_ = false;
  return 0;
}

std::uint64_t Statement::count(int column) {
  return static_cast<std::uint64_t>(number(column, 0));
}

std::optional<std::uint64_t> Statement::count_or_null(int column) {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return count(column);
}

std::string_view Statement::text(int column) {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_TEXT) {
    const void* data = sqlite3_column_blob(statement_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    const std::string_view text(static_cast<const char*>(data), data == nullptr ? 0 : size);
    if (is_text(text)) return text;
  }
  well_formed_ = false;
  return "";
}

Result<Database> Database::open(const std::filesystem::path& file, Mode mode, std::string what) {
  sqlite3* connection = nullptr;
  // For reading too: after a kill SQLite must first roll back or take over what was under way. Where the file
  // may not be written SQLite opens it for reading only.
  int code = sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READWRITE, nullptr);
  Database database(connection, std::move(what));
  if (code != SQLITE_OK) return fail(database.error(code));
  distrust(connection);
  // The file is read only now.
  code = sqlite3_exec(connection, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(database.error(code));
  if (mode == Mode::read) {
    if (auto set = database.run("PRAGMA query_only = ON"); !set) return fail(set.error());
  }
  return database;
}

Result<> Database::run(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error(code));
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return fail(error(code));
  return Statement(statement);
}

Result<std::uint64_t> Database::count(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(statement.error());
  const int code = statement->step();
  if (code != SQLITE_ROW) return fail(error(code));
  const std::uint64_t value = statement->count(0);
  if (!statement->well_formed()) return fail(damaged("a count in it is no count"));
  return value;
}

Error Database::damaged(std::string why) const {
  return {what_, "it is damaged: " + why, "use a copy, or run the study again", ExitCode::usage};
}

Error Database::error(int code) const {
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return {what_, "it is not a run file of vtax", "", ExitCode::usage};
    case SQLITE_CORRUPT:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
      return damaged(sqlite3_errmsg(connection_.get()));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {what_, "another program is using it", "wait for it to end, then run the same command again",
              ExitCode::io};
    case SQLITE_FULL:
      return {what_, "the disk is full", "free some space and run the same command again", ExitCode::io};
    default:
      break;
  }
  const int number = sqlite3_system_errno(connection_.get());
  if (number != 0) return system_error(what_, number);
  return {what_, sqlite3_errmsg(connection_.get()), "", ExitCode::io};
}

}  // namespace vtax
