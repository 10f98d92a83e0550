#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "workload/traffic/agreement.h"
#include "workload/traffic/generator.h"
#include "workload/traffic/socket_io.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

// Connect, request, response, close (netperf's TCP_CRR). The responder closes first, so that the waiting
// ports (TIME_WAIT) are on its side, where there is but one port. A connection that asks nothing ends the
// responder's flow.
class TcpCrr : public Generator {
 public:
  TcpCrr(const Order& order, const FlowPlace& place)
      : order_(order),
        place_(place),
        request_(order.request_bytes, kPayloadByte),
        response_(order.response_bytes, kPayloadByte) {}

  Result<> initiate(const Flow& flow, const FlowTask& task) override {
    const Result<NetAddress> address = socket_address(place_.address);
    if (!address) return fail(address.error());
    task.start();
    Totals done;
    while (task.timed() ? !task.over() : done.messages < task.transactions) {
      const Clock::time_point start = order_.latency ? Clock::now() : Clock::time_point();
      task.progress.asked(done.messages);
      if (Result<> step = exchange(*address, task); !step) return step;
      task.progress.answered(done.messages);
      if (order_.latency && task.measuring())
        task.record.latency.record(static_cast<std::uint64_t>((Clock::now() - start).count()));
      count(task, done);
    }
    const Result<Descriptor> last = open(*address, task);
    if (!last) return fail(last.error());
    shutdown(last->get(), SHUT_WR);
    // Which of the responder's flows has taken which connection is chance: only the sums have to agree.
    const Result<Totals> theirs = receive_totals(flow, task);
    if (!theirs) return fail(theirs.error());
    return {};
  }

  Result<> respond(const Flow& flow, const FlowTask& task) override {
    Totals done;
    while (true) {
      Result<Descriptor> connection = tcp_accept(place_.listener, task.watchdog);
      if (!connection) return fail(connection.error());
      task.start();
      const int fd = connection->get();
      std::size_t held = 0;
      while (held < request_.size()) {
        const Result<std::size_t> some = receive_some_or_end(fd, std::span(request_).subspan(held),
                                                             task.watchdog, "tcp-crr: wait for the request");
        if (!some) return fail(some.error());
        if (*some == 0) break;
        held += *some;
      }
      if (held == 0) break;
      if (held < request_.size()) return fail(closed("tcp-crr: wait for the request"));
      if (Result<> sent = send_all(fd, response_, task.watchdog, "tcp-crr: send the response"); !sent)
        return sent;
      count(task, done);
    }
    return send_totals(flow, task, done);
  }

 private:
  Result<> exchange(const NetAddress& address, const FlowTask& task) {
    const Result<Descriptor> connection = open(address, task);
    if (!connection) return fail(connection.error());
    const int fd = connection->get();
    Result<> step = send_all(fd, request_, task.watchdog, "tcp-crr: send the request");
    if (step) step = receive_all(fd, response_, task.watchdog, "tcp-crr: wait for the response");
    if (!step) return step;
    std::byte extra{};
    const Result<std::size_t> end =
        receive_some_or_end(fd, {&extra, 1}, task.watchdog, "tcp-crr: wait for the close");
    if (!end) return fail(end.error());
    if (*end != 0)
      return fail(Error{"tcp-crr: wait for the close", "the other side sent more than agreed", "",
                        ExitCode::trial_failed});
    return {};
  }

  // Bare: no option that is not asked for, since each costs a system call in every exchange.
  Result<Descriptor> open(const NetAddress& address, const FlowTask& task) const {
    Descriptor fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return fail(trouble());
    while (connect(fd.get(), address.get(), address.size()) != 0) {
      if (errno == EISCONN) break;
      if (errno != EINTR && errno != EALREADY) return fail(trouble());
      if (task.watchdog.expired()) return fail(task.watchdog.timeout("tcp-crr: connect"));
    }
    return fd;
  }

  static Error trouble() {
    Error error = failed_step("tcp-crr: connect");
    if (errno == EADDRNOTAVAIL)
      error.next = "all local ports wait for old connections; fewer flows, or a shorter run";
    return error;
  }

  void count(const FlowTask& task, Totals& done) const {
    const std::uint64_t bytes = request_.size() + response_.size();
    done.messages += 1;
    done.bytes += bytes;
    FlowRecord::add(task.record.transactions, 1);
    FlowRecord::add(task.record.bytes, bytes);
    task.progress.at(done.messages, done.bytes, done.messages);
  }

  Order order_;
  FlowPlace place_;
  std::vector<std::byte> request_, response_;
};

}  // namespace

std::unique_ptr<Generator> make_tcp_crr(const Order& order, const FlowPlace& place) {
  return std::make_unique<TcpCrr>(order, place);
}

}  // namespace vtax
