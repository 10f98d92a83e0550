#include <fmt/format.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include "workload/traffic/agreement.h"
#include "workload/traffic/datagram.h"
#include "workload/traffic/datagram_inbox.h"
#include "workload/traffic/pacer.h"
#include "workload/traffic/socket_io.h"
#include "workload/traffic/stream_generator.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostSegments = 64;  // UDP_MAX_SEGMENTS of Linux
constexpr std::size_t kMostBatchBytes = 65'000;
constexpr std::size_t kMessagesAtOnce = 32;  // of sendmmsg

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

// Whether a datagram goes to the other end in one packet. UDP_SEGMENT cuts only what does; a larger one is
// IP's to fragment.
bool fits_a_packet(int fd, std::uint64_t datagram) {
  constexpr std::uint64_t kHeaders = 28;  // IPv4's and UDP's
  int mtu = 0;
  socklen_t size = sizeof mtu;
  return getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size) != 0 ||
         datagram + kHeaders <= static_cast<std::uint64_t>(mtu);
}

// Datagrams one way. With `batch` the kernel is given and gives many at once (UDP_SEGMENT, UDP_GRO); without,
// one system call still carries several where nothing has to be waited for (sendmmsg, recvmmsg).
class UdpStream : public StreamGenerator {
 public:
  explicit UdpStream(const Order& order) : order_(order) {}

 private:
  struct Batch {
    std::size_t size = 1;         // datagrams at once
    bool segmented = false;       // one buffer that the kernel cuts
    std::vector<std::byte> data;  // size * write_bytes
    std::vector<iovec> parts;
    std::vector<mmsghdr> messages;
  };

  Result<Batch> prepare(int fd) const {
    Batch batch;
    const std::uint64_t size = order_.write_bytes;
    batch.segmented = order_.batch && fits_a_packet(fd, size);
    if (batch.segmented) {
      batch.size = std::clamp<std::size_t>(kMostBatchBytes / size, 1, kMostSegments);
      const int segment = static_cast<int>(size);
      if (batch.size > 1 && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0)
        return fail(failed_step("udp-stream: ask for UDP_SEGMENT (Linux 4.18)"));
    } else if (order_.bits_per_second == 0) {
      batch.size = kMessagesAtOnce;
    }
    if (order_.bits_per_second != 0) {  // no more than a millisecond's worth at once
      const std::uint64_t per_millisecond = order_.bits_per_second / 8 / 1000 / size;
      batch.size = std::clamp<std::size_t>(per_millisecond, 1, batch.segmented ? batch.size : 1);
    }
    batch.data.assign(batch.size * size, kPayloadByte);
    batch.parts.resize(batch.size);
    batch.messages.resize(batch.size);
    for (std::size_t i = 0; i < batch.size; ++i) {
      batch.parts[i] = {batch.data.data() + i * size, size};
      batch.messages[i] = {};
      batch.messages[i].msg_hdr.msg_iov = &batch.parts[i];
      batch.messages[i].msg_hdr.msg_iovlen = 1;
    }
    return batch;
  }

  Result<> send_stream(const Flow& flow, const FlowTask& task) override {
    const int fd = flow.datagrams.get();
    Result<Batch> batch = prepare(fd);
    if (!batch) return fail(batch.error());
    const std::uint64_t size = order_.write_bytes;
    const std::uint64_t wanted = (task.bytes + size - 1) / size;
    Pacer pacer(order_.bits_per_second, size * batch->size, order_.pacing);
    task.start();
    std::uint64_t number = 0;
    while (task.timed() ? !task.over() : number < wanted) {
      if (pacer.paces()) pacer.wait(order_.latency && task.measuring() ? &task.record.latency : nullptr);
      const std::size_t some =
          task.timed() ? batch->size : std::min<std::uint64_t>(batch->size, wanted - number);
      const Result<std::size_t> sent = send_some(fd, *batch, some, number, task);
      if (!sent) return fail(sent.error());
      number += *sent;
      FlowRecord::add(task.record.bytes, *sent * size);
      task.progress.at(number * size, number * size, 0);
      FlowRecord::add(task.record.messages, *sent);
    }
    return finish(flow, task, number);
  }

  // How many of them the kernel has taken.
  Result<std::size_t> send_some(int fd, Batch& batch, std::size_t some, std::uint64_t number,
                                const FlowTask& task) const {
    const std::int64_t now = now_ns();
    for (std::size_t i = 0; i < some; ++i) {
      const DatagramHeader header{number + i, now};
      std::memcpy(batch.parts[i].iov_base, &header, sizeof header);
    }
    while (true) {
      ssize_t done = 0;
      if (batch.segmented || some == 1) {
        done = send(fd, batch.data.data(), some * order_.write_bytes, 0);
        if (done >= 0) return some;
      } else {
        done = sendmmsg(fd, batch.messages.data(), static_cast<unsigned>(some), 0);
        if (done > 0) return static_cast<std::size_t>(done);
      }
      if (task.watchdog.expired()) return fail(task.watchdog.timeout("udp-stream: send"));
      if (errno == ENOBUFS) {
        task.record.failures["no_buffer_space"] +=
            1;  // the queue below is full: as lossy as the wire, so go on
        return some;
      }
      if (errno != EINTR) return fail(failed_step("udp-stream: send"));
    }
  }

  // Says that it is over until the receiver answers with its count: the word itself may be lost.
  Result<> finish(const Flow& flow, const FlowTask& task, std::uint64_t sent) const {
    const DatagramHeader last{kLastDatagram, static_cast<std::int64_t>(sent)};
    const int off = 0;
    if (order_.batch) setsockopt(flow.datagrams.get(), SOL_UDP, UDP_SEGMENT, &off, sizeof off);
    while (true) {
      static_cast<void>(send(flow.datagrams.get(), &last, sizeof last, MSG_DONTWAIT));
      pollfd waiting{flow.stream.get(), POLLIN, 0};
      if (poll(&waiting, 1, 10) == 1) break;
      if (task.watchdog.expired())
        return fail(task.watchdog.timeout("udp-stream: wait for the receiver's count"));
    }
    const Result<Totals> theirs = receive_totals(flow, task);
    if (!theirs) return fail(theirs.error());
    if (theirs->messages > sent)
      return fail(disagreement("udp-stream", {sent * order_.write_bytes, sent}, *theirs));
    return {};
  }

  Result<> receive_stream(const Flow& flow, const FlowTask& task) override {
    const int fd = flow.datagrams.get();
    const int on = 1;
    if (order_.batch && setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on) != 0)
      return fail(failed_step("udp-stream: ask for UDP_GRO (Linux 5.0)"));
    const auto inbox = std::make_unique<DatagramInbox>();
    ReceptionMeter meter;
    Totals got;
    bool measuring = task.measuring();
    std::uint64_t sent = 0;
    for (bool over = false; !over;) {
      const Result<int> some = receive_some_messages(fd, *inbox, task);
      if (!some) return fail(some.error());
      const std::int64_t now = now_ns();
      if (task.measuring() != measuring) {
        measuring = true;
        meter.restart();
      }
      Totals batch;
      for (int i = 0; i < *some; ++i) over |= take(*inbox, i, now, meter, batch, sent);
      if (got.messages == 0 && batch.messages > 0) task.start();
      got.bytes += batch.bytes;
      got.messages += batch.messages;
      FlowRecord::add(task.record.bytes, batch.bytes);
      task.progress.at(got.bytes, got.bytes, 0);
      FlowRecord::add(task.record.messages, batch.messages);
    }
    meter.finish(sent);
    task.record.reception = meter.reception();
    return send_totals(flow, task, got);
  }

  Result<int> receive_some_messages(int fd, DatagramInbox& inbox, const FlowTask& task) const {
    while (true) {
      const int some = inbox.receive(fd);
      if (task.watchdog.expired()) return fail(task.watchdog.timeout("udp-stream: receive"));
      if (some > 0) return some;
      if (errno != EINTR && errno != ECONNREFUSED) return fail(failed_step("udp-stream: receive"));
    }
  }

  // Whether the last datagram was in this message.
  bool take(DatagramInbox& inbox, int message, std::int64_t now, ReceptionMeter& meter, Totals& batch,
            std::uint64_t& sent) const {
    bool last = false;
    inbox.each_of(message, [&](const std::byte* data, std::size_t length) {
      DatagramHeader header;
      if (length < sizeof header) return true;
      std::memcpy(&header, data, sizeof header);
      if (header.number == kLastDatagram) {
        sent = static_cast<std::uint64_t>(header.sent_ns);
        last = true;
        return false;
      }
      if (length != order_.write_bytes) return true;  // not of this stream
      meter.take(header, now);
      batch.bytes += length;
      batch.messages += 1;
      return true;
    });
    return last;
  }

  Order order_;
};

}  // namespace

std::unique_ptr<Generator> make_udp_stream(const Order& order) {
  return std::make_unique<UdpStream>(order);
}

}  // namespace vtax
