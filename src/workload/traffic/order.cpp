#include "workload/traffic/order.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace vtax {
namespace {

template <class T, std::size_t N>
using Names = std::array<std::pair<T, std::string_view>, N>;

constexpr Names<WorkKind, 5> kKinds{{{WorkKind::tcp_stream, "tcp-stream"},
                                     {WorkKind::udp_stream, "udp-stream"},
                                     {WorkKind::tcp_rr, "tcp-rr"},
                                     {WorkKind::udp_rr, "udp-rr"},
                                     {WorkKind::tcp_crr, "tcp-crr"}}};
constexpr Names<Direction, 3> kDirections{
    {{Direction::send, "send"}, {Direction::receive, "receive"}, {Direction::both, "both"}}};
constexpr Names<Copy, 3> kCopies{
    {{Copy::user, "user"}, {Copy::sendfile, "sendfile"}, {Copy::zero_copy, "zero-copy"}}};
constexpr Names<Pacing, 3> kPacings{
    {{Pacing::sleep, "sleep"}, {Pacing::spin, "spin"}, {Pacing::loop, "loop"}}};

template <class T, std::size_t N>
std::string_view name_in(const Names<T, N>& names, T value) {
  for (const auto& [candidate, text] : names)
    if (candidate == value) return text;
  return "";
}

template <class T, std::size_t N>
Result<T> choice(const JsonFields& fields, const char* key, const Names<T, N>& names) {
  const Result<std::string> text = fields.text(key);
  if (!text) return fail(text.error());
  for (const auto& [value, candidate] : names)
    if (*text == candidate) return value;
  return fail(fields.bad(fmt::format("'{}' is '{}', which is not known", key, *text)));
}

// Reads key after key; the first error stays.
class Reader {
 public:
  explicit Reader(const JsonFields& fields) : fields_(fields) {}

  template <class T>
  void number(const char* key, T& into, std::uint64_t most) {
    if (const auto value = kept(fields_.number(key, 0, most))) into = static_cast<T>(*value);
  }
  void time(const char* key, std::chrono::nanoseconds& into) {
    constexpr std::chrono::nanoseconds kMost = Order::kMostDuration;
    if (const auto value = kept(fields_.number(key, 0, static_cast<std::uint64_t>(kMost.count()))))
      into = std::chrono::nanoseconds(*value);
  }
  void boolean(const char* key, bool& into) {
    if (const auto value = kept(fields_.boolean(key))) into = *value;
  }
  template <class T, std::size_t N>
  void one_of(const char* key, T& into, const Names<T, N>& names) {
    if (const auto value = kept(choice(fields_, key, names))) into = *value;
  }
  void text(const char* key, std::string& into) {
    if (const auto value = kept(fields_.text(key, 15))) into = *value;
  }
  [[nodiscard]] const Result<>& outcome() const { return outcome_; }

 private:
  template <class T>
  Result<T> kept(Result<T> value) {
    if (!value && outcome_) outcome_ = fail(value.error());
    return value;
  }

  const JsonFields& fields_;
  Result<> outcome_;
};

Error wrong(std::string why) {
  return {"cannot do this work", std::move(why), "", ExitCode::usage};
}

Result<> check_stream(const Order& order) {
  const bool udp = order.kind == WorkKind::udp_stream;
  const std::uint64_t least = udp ? Order::kLeastDatagramBytes : 1;
  const std::uint64_t most = udp ? Order::kMostDatagramBytes : Order::kMostWriteBytes;
  if (order.write_bytes < least || order.write_bytes > most)
    return fail(wrong(fmt::format("{} bytes in one {}, {} to {} are possible", order.write_bytes,
                                  udp ? "datagram" : "write", least, most)));
  if (order.transactions.value != 0) return fail(wrong("a stream has no transactions"));
  if (order.direction == Direction::both && order.flows % 2 != 0)
    return fail(wrong("both ways takes an even number of flows"));
  if (udp && order.copy != Copy::user) return fail(wrong("sendfile and zero copy are for tcp-stream"));
  return {};
}

Result<> check_exchange(const Order& order) {
  const std::uint64_t most =
      order.kind == WorkKind::udp_rr ? Order::kMostDatagramBytes : Order::kMostMessageBytes;
  const std::uint64_t least = order.kind == WorkKind::udp_rr ? 8 : 1;
  for (const auto size : {order.request_bytes, order.response_bytes}) {
    if (size < least || size > most)
      return fail(wrong(fmt::format("a message of {} bytes, {} to {} are possible", size, least, most)));
  }
  if (order.bytes.value != 0) return fail(wrong("the amount of an exchange is transactions or a duration"));
  if (order.in_flight < 1 || order.in_flight > Order::kMostInFlight)
    return fail(wrong(
        fmt::format("{} exchanges in flight, 1 to {} are possible", order.in_flight, Order::kMostInFlight)));
  if (order.kind == WorkKind::tcp_crr && order.in_flight != 1)
    return fail(wrong("tcp-crr has one exchange in flight on a flow; use more flows"));
  if (order.direction != Direction::send) return fail(wrong("the initiator of an exchange asks"));
  return {};
}

}  // namespace

std::string_view name(WorkKind kind) {
  return name_in(kKinds, kind);
}

Result<WorkKind> work_kind(const JsonFields& fields, const char* key) {
  return choice(fields, key, kKinds);
}

bool is_stream(WorkKind kind) {
  return kind == WorkKind::tcp_stream || kind == WorkKind::udp_stream;
}

bool is_udp(WorkKind kind) {
  return kind == WorkKind::udp_stream || kind == WorkKind::udp_rr;
}

void SocketSettings::write(nlohmann::json& out) const {
  out["send_buffer"] = send_buffer;
  out["receive_buffer"] = receive_buffer;
  out["segment_bytes"] = segment_bytes;
  out["congestion"] = congestion;
  out["no_delay"] = no_delay;
}

Result<SocketSettings> SocketSettings::from(const JsonFields& fields) {
  SocketSettings sockets;
  Reader reader(fields);
  reader.number("send_buffer", sockets.send_buffer, 1ULL << 30);
  reader.number("receive_buffer", sockets.receive_buffer, 1ULL << 30);
  reader.number("segment_bytes", sockets.segment_bytes, 65535);
  reader.text("congestion", sockets.congestion);
  reader.boolean("no_delay", sockets.no_delay);
  if (!reader.outcome()) return fail(reader.outcome().error());
  return sockets;
}

nlohmann::json Order::to_json() const {
  nlohmann::json out{{"kind", name(kind)},
                     {"bytes", bytes.value},
                     {"transactions", transactions.value},
                     {"duration_ns", duration.count()},
                     {"warmup_ns", warmup.count()},
                     {"write_bytes", write_bytes},
                     {"request_bytes", request_bytes},
                     {"response_bytes", response_bytes},
                     {"flows", flows},
                     {"direction", name_in(kDirections, direction)},
                     {"in_flight", in_flight},
                     {"bits_per_second", bits_per_second},
                     {"pacing", name_in(kPacings, pacing)},
                     {"copy", name_in(kCopies, copy)},
                     {"batch", batch},
                     {"separate", separate},
                     {"discard", discard},
                     {"gather_bytes", gather_bytes},
                     {"latency", latency},
                     {"interval_ns", interval.count()},
                     {"patience_ns", patience.count()}};
  sockets.write(out);
  return out;
}

Result<Order> Order::from(const JsonFields& fields) {
  Order order;
  Reader reader(fields);
  reader.one_of("kind", order.kind, kKinds);
  reader.number("bytes", order.bytes.value, kMostBytes);
  reader.number("transactions", order.transactions.value, kMostTransactions);
  reader.time("duration_ns", order.duration);
  reader.time("warmup_ns", order.warmup);
  reader.number("write_bytes", order.write_bytes, kMostWriteBytes);
  reader.number("request_bytes", order.request_bytes, kMostMessageBytes);
  reader.number("response_bytes", order.response_bytes, kMostMessageBytes);
  reader.number("flows", order.flows, kMostFlows);
  reader.one_of("direction", order.direction, kDirections);
  reader.number("in_flight", order.in_flight, kMostInFlight);
  reader.number("bits_per_second", order.bits_per_second, 1ULL << 50);
  reader.one_of("pacing", order.pacing, kPacings);
  reader.one_of("copy", order.copy, kCopies);
  reader.boolean("batch", order.batch);
  reader.boolean("separate", order.separate);
  reader.boolean("discard", order.discard);
  reader.number("gather_bytes", order.gather_bytes, kMostMessageBytes);
  reader.boolean("latency", order.latency);
  reader.time("interval_ns", order.interval);
  reader.time("patience_ns", order.patience);
  if (!reader.outcome()) return fail(reader.outcome().error());
  const auto sockets = SocketSettings::from(fields);
  if (!sockets) return fail(sockets.error());
  order.sockets = *sockets;
  if (Result<> good = order.check(); !good) return fail(fields.bad(good.error().why));
  return order;
}

Result<> Order::check() const {
  const int amounts = (bytes.value != 0) + (transactions.value != 0) + (duration.count() != 0);
  if (amounts != 1) return fail(wrong("exactly one of bytes, transactions and duration says how much"));
  if (bytes.value > kMostBytes || transactions.value > kMostTransactions || duration > kMostDuration ||
      duration.count() < 0 || warmup > kMostDuration || warmup.count() < 0)
    return fail(wrong("more than the largest amount (1 TiB, 4,294,967,296 transactions, 24 hours)"));
  if (flows < 1 || flows > kMostFlows)
    return fail(wrong(fmt::format("{} flows, 1 to {} are possible", flows, kMostFlows)));
  if (duration.count() == 0 && warmup.count() != 0) return fail(wrong("a warm-up time goes with a duration"));
  if (duration.count() == 0 && interval.count() != 0)
    return fail(wrong("interval reports go with a duration"));
  if (interval.count() != 0 && static_cast<std::uint64_t>(duration / interval) > kMostIntervals)
    return fail(wrong(fmt::format("more than {} intervals", kMostIntervals)));
  const auto share = is_stream(kind) ? bytes.value : transactions.value;
  if (duration.count() == 0 && share < static_cast<std::uint64_t>(flows))
    return fail(wrong("less work than flows"));
  return is_stream(kind) ? check_stream(*this) : check_exchange(*this);
}

Done expected(const Order& order) {
  if (order.kind == WorkKind::udp_stream && order.write_bytes != 0) {  // whole datagrams only
    const std::uint64_t flows = static_cast<std::uint64_t>(order.flows), size = order.write_bytes;
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < flows; ++i) {
      const std::uint64_t share = order.bytes.value / flows + (i < order.bytes.value % flows ? 1 : 0);
      bytes += (share + size - 1) / size * size;
    }
    return {Bytes(bytes), Transactions(0)};
  }
  if (is_stream(order.kind)) return {order.bytes, Transactions(0)};
  return {Bytes(order.transactions.value * (order.request_bytes + order.response_bytes)), order.transactions};
}

}  // namespace vtax
