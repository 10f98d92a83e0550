#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "record/database.h"

namespace vtax {

// Executes an INSERT of values in the order of the table's columns.
class NewRow {
 public:
  explicit NewRow(Statement& statement) : statement_(statement) {}

  NewRow& operator<<(const std::optional<std::uint64_t>& value) {
    statement_.bind(next_++, value);
    return *this;
  }
  NewRow& operator<<(std::uint64_t value) {
    statement_.bind(next_++, value);
    return *this;
  }
  NewRow& operator<<(std::string_view text) {
    statement_.bind(next_++, text);
    return *this;
  }
  [[nodiscard]] Result<> insert(const Database& database) {
    const int code = statement_.step();
    statement_.reset();
    return code == SQLITE_DONE ? Result<>() : fail(database.error(code));
  }

 private:
  Statement& statement_;
  int next_ = 1;
};

}  // namespace vtax
