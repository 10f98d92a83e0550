#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "workload/generator.h"
#include "workload/socket_io.h"

namespace vtax {
namespace {

constexpr std::size_t read_bytes = 128 * 1024;
constexpr std::byte payload{0x5a};
constexpr std::byte final_answer{0xa5};

// Bulk transfer: the initiator writes `bytes` in writes of `write_bytes`; the responder reads as much as
// comes, up to 128 KiB at a time, and says with one byte that it has all.
class TcpStream : public Generator {
 public:
  explicit TcpStream(const Order& order)
      : order_(order), buffer_(std::max<std::size_t>(read_bytes, order.write_bytes), payload) {}

  Result<Done> initiate(int fd, const Watchdog& watchdog) override {
    const std::span<const std::byte> whole(buffer_.data(), order_.write_bytes);
    std::uint64_t left = order_.bytes.value;
    while (left > 0) {
      const auto part = whole.first(std::min<std::uint64_t>(left, whole.size()));
      if (Result<> sent = send_all(fd, part, watchdog, "tcp-stream: write the payload"); !sent) {
        return fail(sent.error());
      }
      left -= part.size();
    }
    std::byte answer{};
    if (Result<> got = receive_all(fd, {&answer, 1}, watchdog, "tcp-stream: wait for the final answer");
        !got) {
      return fail(got.error());
    }
    if (answer != final_answer) {
      return fail(Error{"tcp-stream: wait for the final answer", "the other side answered something else", "",
                        ExitCode::trial_failed});
    }
    return Done{order_.bytes, Transactions(0)};
  }

  Result<Done> respond(int fd, const Watchdog& watchdog) override {
    std::uint64_t received = 0;
    while (received < order_.bytes.value) {
      const Result<std::size_t> some =
          receive_some(fd, std::span(buffer_).first(read_bytes), watchdog, "tcp-stream: read the payload");
      if (!some) {
        Error error = some.error();
        error.why += fmt::format(" (after {} of {} bytes)", received, order_.bytes.value);
        return fail(std::move(error));
      }
      received += *some;
    }
    if (received > order_.bytes.value) {
      return fail(Error{"tcp-stream: read the payload",
                        fmt::format("{} bytes came, {} were agreed", received, order_.bytes.value), "",
                        ExitCode::trial_failed});
    }
    if (Result<> sent = send_all(fd, {&final_answer, 1}, watchdog, "tcp-stream: send the final answer");
        !sent) {
      return fail(sent.error());
    }
    return Done{Bytes(received), Transactions(0)};
  }

 private:
  Order order_;
  std::vector<std::byte> buffer_;
};

}  // namespace

std::unique_ptr<Generator> make_tcp_stream(const Order& order) {
  return std::make_unique<TcpStream>(order);
}

}  // namespace vtax
