#include "workload/order.h"

#include <fmt/format.h>

namespace vtax {

std::string_view name(WorkKind kind) {
  return kind == WorkKind::tcp_stream ? "tcp-stream" : "tcp-rr";
}

Result<WorkKind> work_kind(const JsonFields& fields, const char* key) {
  const Result<std::string> text = fields.text(key);
  if (!text) return fail(text.error());
  for (const WorkKind kind : {WorkKind::tcp_stream, WorkKind::tcp_rr}) {
    if (*text == name(kind)) return kind;
  }
  return fail(fields.bad(fmt::format("'{}' is '{}', neither tcp-stream nor tcp-rr", key, *text)));
}

nlohmann::json Order::to_json() const {
  return {{"kind", name(kind)},
          {"bytes", bytes.value},
          {"write_bytes", write_bytes},
          {"transactions", transactions.value},
          {"request_bytes", request_bytes},
          {"response_bytes", response_bytes}};
}

Result<Order> Order::from(const JsonFields& fields) {
  const Result<WorkKind> kind = work_kind(fields, "kind");
  if (!kind) return fail(kind.error());
  Order order;
  order.kind = *kind;
  const auto read = [&](const char* key, std::uint64_t most, std::uint64_t& into) -> Result<> {
    const Result<std::uint64_t> value = fields.number(key, 1, most);
    if (!value) return fail(value.error());
    into = *value;
    return {};
  };
  Result<> good;
  if (order.kind == WorkKind::tcp_stream) {
    good = read("bytes", most_bytes, order.bytes.value);
    if (good) good = read("write_bytes", most_message_bytes, order.write_bytes);
  } else {
    good = read("transactions", most_transactions, order.transactions.value);
    if (good) good = read("request_bytes", most_message_bytes, order.request_bytes);
    if (good) good = read("response_bytes", most_message_bytes, order.response_bytes);
  }
  if (!good) return fail(good.error());
  return order;
}

Done expected(const Order& order) {
  if (order.kind == WorkKind::tcp_stream) return {order.bytes, Transactions(0)};
  return {Bytes(order.transactions.value * (order.request_bytes + order.response_bytes)), order.transactions};
}

}  // namespace vtax
