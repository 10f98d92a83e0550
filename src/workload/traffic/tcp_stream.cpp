#include <fmt/format.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "workload/traffic/agreement.h"
#include "workload/traffic/pacer.h"
#include "workload/traffic/socket_io.h"
#include "workload/traffic/stream_generator.h"

namespace vtax {
namespace {

constexpr std::size_t kReadBytes = 128 * 1024;

// A receiver that the kernel wakes only when so much has come, or when the other side has closed its half.
// The kernel caps the mark at half of the receive buffer.
class GatheringReceiver {
 public:
  GatheringReceiver(int fd, std::uint64_t bytes) : fd_(fd) { set(bytes); }
  GatheringReceiver(const GatheringReceiver&) = delete;
  GatheringReceiver& operator=(const GatheringReceiver&) = delete;
  ~GatheringReceiver() { set(0); }  // messages that follow are short

  // No more than this will come. A read takes what is there, less than the mark perhaps, and is woken when
  // the mark has come again behind it: so at least twice the mark has to be due.
  void expect(std::uint64_t bytes) {
    if (bytes < 2 * mark_) set(0);
  }

 private:
  void set(std::uint64_t bytes) {
    if (bytes == mark_) return;
    const int value = static_cast<int>(std::max<std::uint64_t>(bytes, 1));  // 1: whatever comes
    if (setsockopt(fd_, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value) == 0) mark_ = bytes;
  }

  int fd_;
  std::uint64_t mark_ = 0;
};

// Bulk transfer: the sender writes, the receiver reads as much as comes. With a fixed amount both know when
// it is over; with a time the sender closes its half.
class TcpStream : public StreamGenerator {
 public:
  explicit TcpStream(const Order& order)
      : order_(order), buffer_(std::max<std::size_t>(kReadBytes, order.write_bytes), kPayloadByte) {}

 private:
  Result<> send_stream(const Flow& flow, const FlowTask& task) override {
    const int fd = flow.stream.get();
    Pacer pacer(order_.bits_per_second, order_.write_bytes, order_.pacing);
    if (Result<> ready = prepare_copy(fd); !ready) return ready;
    task.start();
    Totals sent;
    while (task.timed() ? !task.over() : sent.bytes < task.bytes) {
      const std::uint64_t size =
          task.timed() ? order_.write_bytes : std::min(task.bytes - sent.bytes, order_.write_bytes);
      if (pacer.paces()) pacer.wait(order_.latency && task.measuring() ? &task.record.latency : nullptr);
      if (Result<> done = write_once(fd, size, task); !done) return done;
      sent.bytes += size;
      sent.messages += 1;
      FlowRecord::add(task.record.bytes, size);
      task.progress.at(sent.bytes, sent.bytes, 0);
    }
    if (order_.copy == Copy::zero_copy) collect_completions(fd);
    if (task.timed()) shutdown(fd, SHUT_WR);
    const Result<Totals> theirs = receive_totals(flow, task);
    if (!theirs) return fail(theirs.error());
    if (theirs->bytes != sent.bytes) return fail(disagreement("tcp-stream", sent, *theirs));
    task.record.messages.store(sent.messages, std::memory_order_relaxed);
    return {};
  }

  Result<> prepare_copy(int fd) {
    if (order_.copy == Copy::zero_copy) {
      const int on = 1;
      if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0)
        return fail(system_error("tcp-stream: ask for zero copy", errno));
    }
    if (order_.copy == Copy::sendfile && !file_.valid()) {
      file_ = Descriptor(memfd_create("vtax-payload", MFD_CLOEXEC));
      const auto size = static_cast<ssize_t>(order_.write_bytes);
      if (!file_.valid() || write(file_.get(), buffer_.data(), order_.write_bytes) != size)
        return fail(system_error("tcp-stream: make the file to send", errno));
    }
    return {};
  }

  Result<> write_once(int fd, std::uint64_t size, const FlowTask& task) {
    constexpr std::string_view kStep = "tcp-stream: write the payload";
    const std::span<const std::byte> part(buffer_.data(), size);
    if (order_.copy == Copy::sendfile) return send_file(fd, size, task, kStep);
    if (order_.copy == Copy::user && !order_.separate) return send_all(fd, part, task.watchdog, kStep);
    const int flags = order_.separate ? MSG_EOR : 0;
    if (order_.copy == Copy::zero_copy) return send_zero_copy(fd, part, flags, task, kStep);
    return send_all(fd, part, task.watchdog, kStep, flags);
  }

  // The kernel holds a limited number of buffers that it has not yet given back (net.core.optmem_max).
  Result<> send_zero_copy(int fd, std::span<const std::byte> data, int flags, const FlowTask& task,
                          std::string_view step) {
    while (!data.empty()) {
      const ssize_t sent = send(fd, data.data(), data.size(), MSG_NOSIGNAL | MSG_ZEROCOPY | flags);
      const int error = errno;
      if (sent > 0) data = data.subspan(static_cast<std::size_t>(sent));
      if (sent < 0 && error != EINTR && error != ENOBUFS) {
        errno = error;
        return fail(failed_step(step));
      }
      if (sent < 0 && error == ENOBUFS) {
        pollfd given_back{fd, 0, 0};  // POLLERR needs no asking
        poll(&given_back, 1, 10);
      }
      if (task.watchdog.expired()) return fail(task.watchdog.timeout(std::string(step)));
      if (sent < 0 || ++uncollected_ >= 64) collect_completions(fd);
    }
    return {};
  }

  Result<> send_file(int fd, std::uint64_t size, const FlowTask& task, std::string_view step) const {
    off_t at = 0;
    while (static_cast<std::uint64_t>(at) < size) {
      const ssize_t sent = sendfile(fd, file_.get(), &at, size - static_cast<std::uint64_t>(at));
      if (sent < 0 && errno != EINTR) return fail(failed_step(step));
      if (task.watchdog.expired()) return fail(task.watchdog.timeout(std::string(step)));
    }
    return {};
  }

  // The kernel says which buffers it no longer needs; they all are the same one, so only the queue has to be
  // kept short.
  void collect_completions(int fd) {
    uncollected_ = 0;
    while (true) {
      alignas(cmsghdr) std::array<char, 256> control{};
      msghdr message{};
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    }
  }

  Result<> receive_stream(const Flow& flow, const FlowTask& task) override {
    const int fd = flow.stream.get();
    const int flags = order_.discard ? MSG_TRUNC : 0;
    Totals got;
    GatheringReceiver gathering(fd, order_.bits_per_second == 0 ? order_.gather_bytes : 0);
    while (task.timed() || got.bytes < task.bytes) {
      if (!task.timed()) gathering.expect(task.bytes - got.bytes);
      const std::uint64_t room =
          task.timed() ? kReadBytes : std::min<std::uint64_t>(kReadBytes, task.bytes - got.bytes);
      const Result<std::size_t> some = receive_some_or_end(fd, std::span(buffer_).first(room), task.watchdog,
                                                           "tcp-stream: read the payload", flags);
      if (!some) return fail(with_count(some.error(), got, task));
      if (*some == 0 && task.timed()) break;
      if (*some == 0) return fail(with_count(closed("tcp-stream: read the payload"), got, task));
      if (got.bytes == 0) task.start();
      got.bytes += *some;
      FlowRecord::add(task.record.bytes, *some);
      task.progress.at(got.bytes, got.bytes, 0);
    }
    return send_totals(flow, task, got);
  }

  static Error with_count(Error error, const Totals& got, const FlowTask& task) {
    if (task.timed())
      error.why += fmt::format(" (after {} bytes)", got.bytes);
    else
      error.why += fmt::format(" (after {} of {} bytes)", got.bytes, task.bytes);
    return error;
  }

  Order order_;
  std::vector<std::byte> buffer_;
  Descriptor file_;
  int uncollected_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_tcp_stream(const Order& order) {
  return std::make_unique<TcpStream>(order);
}

}  // namespace vtax
