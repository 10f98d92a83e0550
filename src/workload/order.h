#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/result.h"
#include "core/units.h"
#include "workload/json_fields.h"

namespace vtax {

enum class WorkKind { tcp_stream, tcp_rr };

[[nodiscard]] std::string_view name(WorkKind kind);  // "tcp-stream", "tcp-rr"
[[nodiscard]] Result<WorkKind> work_kind(const JsonFields& fields, const char* key);

// A fixed amount of work for a connected pair: the initiator writes first, the responder answers.
struct Order {
  WorkKind kind = WorkKind::tcp_stream;
  Bytes bytes;                       // tcp-stream: payload from initiator to responder
  std::uint64_t write_bytes = 0;     // tcp-stream: size of each write; the last may be shorter
  Transactions transactions;         // tcp-rr
  std::uint64_t request_bytes = 0;   // tcp-rr: initiator to responder
  std::uint64_t response_bytes = 0;  // tcp-rr: responder to initiator

  static constexpr std::uint64_t most_bytes = 1ULL << 40;
  static constexpr std::uint64_t most_transactions = 1ULL << 32;
  static constexpr std::uint64_t most_message_bytes = 1 << 20;

  [[nodiscard]] nlohmann::json to_json() const;
  [[nodiscard]] static Result<Order> from(const JsonFields& fields);
};

// What was really done, counted by one side: payload in both directions, and whole transactions.
struct Done {
  Bytes bytes;
  Transactions transactions;
  auto operator<=>(const Done&) const = default;
};

// What the order means when it is fulfilled.
[[nodiscard]] Done expected(const Order& order);

}  // namespace vtax
