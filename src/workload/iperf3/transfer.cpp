#include "workload/iperf3/transfer.h"

#include <fmt/format.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "workload/traffic/datagram_inbox.h"
#include "workload/traffic/pacer.h"
#include "workload/traffic/socket_io.h"
#include "workload/traffic/tcp_figures.h"

namespace vtax::iperf3 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadSize = 128 * 1024;
constexpr std::chrono::milliseconds kLongestSleep{20};
constexpr std::size_t kMostSegments = 64;  // UDP_MAX_SEGMENTS of Linux
constexpr std::size_t kMostSegmentedBytes = 65'000;
constexpr std::size_t kMessagesAtOnce = 32;  // of sendmmsg

std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

// A set rate may be a bit a second: what sleeps for long looks up now and then.
bool wait_for_turn(Pacer& pacer, const TransferTask& task) {
  if (!pacer.paces()) return true;
  while (pacer.due() - Clock::now() > kLongestSleep) {
    if (task.over()) return false;
    std::this_thread::sleep_for(kLongestSleep / 2);
  }
  pacer.wait(nullptr);
  return true;
}

void tell(const TransferTask& task) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(task.event_fd, &one, sizeof one);
}

// Bytes that came: of a fixed amount, the last of them are news.
void count_received(const TransferTask& task, std::uint64_t bytes, std::uint64_t messages) {
  FlowRecord::add(task.record.counts.bytes, bytes);
  FlowRecord::add(task.record.counts.messages, messages);
  if (task.awaited == nullptr) return;
  const auto some = static_cast<std::int64_t>(bytes);
  const std::int64_t before = task.awaited->bytes.fetch_sub(some);
  if (before > 0 && before <= some) {
    task.awaited->finished_ns = steady_ns();
    tell(task);
  }
}

Error early_end(const TransferTask& task) {
  return {fmt::format("stream {}", task.stream.id), "the other side closed it in the middle of the test", "",
          ExitCode::trial_failed};
}

class TcpTransfer {
 public:
  explicit TcpTransfer(const TransferTask& task) : task_(task), fd_(task.stream.socket.get()) {}

  Result<> send_stream() {
    const std::uint64_t block = task_.test.block_bytes;
    buffer_.assign(block, kPayloadByte);
    if (task_.test.zero_copy) {
      file_ = Descriptor(memfd_create("vtax-payload", MFD_CLOEXEC));
      if (!file_.valid() || write(file_.get(), buffer_.data(), block) != static_cast<ssize_t>(block))
        return fail(system_error("iperf3: make the file to send", errno));
    }
    Pacer pacer(task_.test.bits_per_second, block, task_.options.pacing);
    std::uint64_t sent = 0;
    while (!task_.over() && (task_.share == 0 || sent < task_.share)) {
      if (!wait_for_turn(pacer, task_)) return {};
      const std::uint64_t size = task_.share == 0 ? block : std::min(block, task_.share - sent);
      if (Result<> done = send_block(size); !done) return done;
      sent += size;
      FlowRecord::add(task_.record.counts.messages, 1);
    }
    return task_.over() ? Result<>() : await_confirmation();
  }

  Result<> receive_stream() {
    buffer_.resize(kReadSize);
    const int flags = task_.options.discard ? MSG_TRUNC : 0;
    while (true) {
      const ssize_t got = recv(fd_, buffer_.data(), buffer_.size(), flags);
      if (got > 0) {
        count_received(task_, static_cast<std::uint64_t>(got), 1);
      } else if (task_.over()) {
        return {};
      } else if (got == 0) {
        return fail(early_end(task_));
      } else if (errno != EINTR) {
        return fail(failed_step(fmt::format("stream {}: receive", task_.stream.id)));
      }
    }
  }

 private:
  Result<> send_block(std::uint64_t size) {
    for (std::uint64_t at = 0; at < size && !(task_.over() && at == 0);) {
      off_t from = static_cast<off_t>(at);
      const ssize_t some = task_.test.zero_copy ? sendfile(fd_, file_.get(), &from, size - at)
                                                : ::send(fd_, buffer_.data() + at, size - at, MSG_NOSIGNAL);
      if (some > 0) {
        at += static_cast<std::uint64_t>(some);
        FlowRecord::add(task_.record.counts.bytes, static_cast<std::uint64_t>(some));
      } else if (task_.over()) {
        return {};
      } else if (errno != EINTR) {
        return fail(failed_step(fmt::format("stream {}: send", task_.stream.id)));
      }
    }
    return {};
  }

  Result<> await_confirmation() {
    while (!task_.over() && unconfirmed_bytes(fd_).value_or(0) != 0)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    task_.record.finished_ns = steady_ns();
    tell(task_);
    return {};
  }

  const TransferTask& task_;
  int fd_;
  std::vector<std::byte> buffer_;
  Descriptor file_;
};

class UdpSender {
 public:
  explicit UdpSender(const TransferTask& task)
      : task_(task), fd_(task.stream.socket.get()), size_(task.test.block_bytes) {}

  Result<> run() {
    if (Result<> ready = prepare(); !ready) return ready;
    const std::uint64_t wanted = (task_.share + size_ - 1) / size_;
    Pacer pacer(task_.test.bits_per_second, size_ * batch_, task_.options.pacing);
    std::uint64_t number = 0;
    while (!task_.over() && (task_.share == 0 || number < wanted)) {
      if (!wait_for_turn(pacer, task_)) return {};
      const std::size_t some = task_.share == 0 ? batch_ : std::min<std::uint64_t>(batch_, wanted - number);
      const Result<std::size_t> sent = send_some(some, number);
      if (!sent) return fail(sent.error());
      number += *sent;
      FlowRecord::add(task_.record.counts.bytes, *sent * size_);
      FlowRecord::add(task_.record.counts.messages, *sent);
    }
    if (task_.over()) return {};
    task_.record.finished_ns = steady_ns();
    tell(task_);
    return {};
  }

 private:
  Result<> prepare() {
    if (task_.options.batch) {
      batch_ = std::clamp<std::size_t>(kMostSegmentedBytes / size_, 1, kMostSegments);
      segmented_ = batch_ > 1;
      const int segment = static_cast<int>(size_);
      if (segmented_ && setsockopt(fd_, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0)
        return fail(failed_step("iperf3: ask for UDP_SEGMENT (Linux 4.18)"));
    } else if (task_.test.bits_per_second == 0) {
      batch_ = std::clamp<std::size_t>(kMostBlockBytes / size_, 1, kMessagesAtOnce);
    }
    if (task_.test.bits_per_second != 0) {  // no more than a millisecond's worth at once
      const std::uint64_t per_millisecond = task_.test.bits_per_second / 8 / 1000 / size_;
      batch_ = std::clamp<std::size_t>(per_millisecond, 1, batch_);
    }
    data_.assign(batch_ * size_, kPayloadByte);
    for (std::size_t i = 0; i < std::min(batch_, kMessagesAtOnce); ++i) {
      parts_[i] = {data_.data() + i * size_, size_};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
    return {};
  }

  // How many of them the kernel has taken.
  Result<std::size_t> send_some(std::size_t some, std::uint64_t number) {
    const std::int64_t now = steady_ns();
    for (std::size_t i = 0; i < some; ++i)
      write_stamp({now, number + i + 1}, task_.test.wide_counters, data_.data() + i * size_);
    while (true) {
      ssize_t done = 0;
      if (segmented_ || some == 1) {
        done = ::send(fd_, data_.data(), some * size_, MSG_NOSIGNAL);
        if (done >= 0) return some;
      } else {
        done = sendmmsg(fd_, messages_.data(), static_cast<unsigned>(some), MSG_NOSIGNAL);
        if (done > 0) return static_cast<std::size_t>(done);
      }
      if (task_.over()) return std::size_t{0};
      if (errno == ENOBUFS) {  // the queue below is full: as lossy as the wire, so go on
        task_.record.counts.failures["no_buffer_space"] += 1;
        return some;
      }
      if (errno != EINTR)
        return fail(failed_step(fmt::format("stream {}: send a datagram", task_.stream.id)));
    }
  }

  const TransferTask& task_;
  int fd_;
  std::uint64_t size_;
  std::size_t batch_ = 1;
  bool segmented_ = false;
  std::vector<std::byte> data_;
  std::array<iovec, kMessagesAtOnce> parts_{};
  std::array<mmsghdr, kMessagesAtOnce> messages_{};
};

class UdpReceiver {
 public:
  explicit UdpReceiver(const TransferTask& task) : task_(task), fd_(task.stream.socket.get()) {}

  Result<> run() {
    const int on = 1;
    setsockopt(fd_, SOL_UDP, UDP_GRO, &on, sizeof on);  // where there is none, each comes by itself
    while (!task_.over()) {
      const int some = inbox_.receive(fd_);
      if (some < 0 && (errno == EINTR || errno == ECONNREFUSED || task_.over())) continue;
      if (some < 0) return fail(failed_step(fmt::format("stream {}: receive a datagram", task_.stream.id)));
      take(some);
    }
    return {};
  }

 private:
  void take(int some) {
    const std::int64_t now = steady_ns();
    std::uint64_t bytes = 0, count = 0;
    {
      const std::scoped_lock lock(task_.record.mutex);
      for (int i = 0; i < some; ++i)
        inbox_.each_of(i, [&](const std::byte* data, std::size_t length) {
          take_datagram(data, length, now, bytes, count);
          return true;
        });
    }
    if (count != 0) count_received(task_, bytes, count);
  }

  void take_datagram(const std::byte* data, std::size_t length, std::int64_t now, std::uint64_t& bytes,
                     std::uint64_t& count) {
    if (length < stamp_bytes(task_.test.wide_counters)) return;  // not of this stream
    const DatagramStamp stamp = read_stamp(data, task_.test.wide_counters);
    if (stamp.number == 0 || stamp.number > kMostBytes) return;
    task_.record.meter.take({stamp.number - 1, stamp.sent_ns}, now);
    bytes += length;
    ++count;
  }

  const TransferTask& task_;
  int fd_;
  DatagramInbox inbox_;
};

}  // namespace

Result<> transfer(const TransferTask& task) {
  if (task.test.udp) return task.stream.sends ? UdpSender(task).run() : UdpReceiver(task).run();
  TcpTransfer tcp(task);
  return task.stream.sends ? tcp.send_stream() : tcp.receive_stream();
}

}  // namespace vtax::iperf3
