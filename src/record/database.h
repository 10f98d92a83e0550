#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vtax {

// One prepared statement. Columns count from 0, parameters from 1.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement, sqlite3_finalize) {}

  void bind(int parameter, std::uint64_t value);
  void bind(int parameter, const std::optional<std::uint64_t>& value);  // nothing is NULL
  void bind(int parameter, std::string_view text);  // the text must outlive the next step or reset

  // SQLITE_ROW, SQLITE_DONE, or an error for Database::error().
  [[nodiscard]] int step() { return sqlite3_step(statement_.get()); }
  void reset() { sqlite3_reset(statement_.get()); }

  // A column as what it must be. A value of another type, a negative count or text that is no UTF-8
  // makes `well_formed` false from then on, and gives 0 or "".
  [[nodiscard]] std::uint64_t count(int column);
  [[nodiscard]] std::optional<std::uint64_t> count_or_null(int column);  // NULL is nothing
  [[nodiscard]] std::int64_t number(int column, std::int64_t least);
  [[nodiscard]] std::string_view text(int column);  // valid until the next step or reset
  [[nodiscard]] bool well_formed() const { return well_formed_; }

 private:
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
  bool well_formed_ = true;
};

// A connection to one SQLite file, with SQLite's codes put into words.
class Database {
 public:
  enum class Mode { read, write };

  // `what`: the beginning of every error, with the file's name in it.
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& file, Mode mode, std::string what);

  // Runs statements that give no rows.
  [[nodiscard]] Result<> run(const char* sql);

  // Only for SQL of this project against a checked schema: a failure is the file's.
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);

  // The one count that a query gives.
  [[nodiscard]] Result<std::uint64_t> count(std::string_view sql);

  // What `code` means to the user.
  [[nodiscard]] Error error(int code) const;
  [[nodiscard]] Error damaged(std::string why) const;

  [[nodiscard]] const std::string& what() const { return what_; }

 private:
  Database(sqlite3* connection, std::string what)
      : connection_(connection, sqlite3_close_v2), what_(std::move(what)) {}

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection_;
  std::string what_;
};

}  // namespace vtax
