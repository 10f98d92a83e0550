#include <algorithm>
#include <vector>

#include "workload/generator.h"
#include "workload/socket_io.h"

namespace vtax {
namespace {

constexpr std::byte payload{0x5a};

// Request and response, one transaction after the other (netperf's TCP_RR).
class TcpRr : public Generator {
 public:
  explicit TcpRr(const Order& order)
      : order_(order), request_(order.request_bytes, payload), response_(order.response_bytes, payload) {}

  Result<Done> initiate(int fd, const Watchdog& watchdog) override {
    Done done;
    while (done.transactions < order_.transactions) {
      Result<> step = send_all(fd, request_, watchdog, "tcp-rr: send a request");
      if (step) step = receive_all(fd, response_, watchdog, "tcp-rr: wait for the response");
      if (!step) return fail(step.error());
      count(done);
    }
    return done;
  }

  Result<Done> respond(int fd, const Watchdog& watchdog) override {
    Done done;
    while (done.transactions < order_.transactions) {
      Result<> step = receive_all(fd, request_, watchdog, "tcp-rr: wait for a request");
      if (step) step = send_all(fd, response_, watchdog, "tcp-rr: send the response");
      if (!step) return fail(step.error());
      count(done);
    }
    return done;
  }

 private:
  void count(Done& done) const {
    done.transactions += Transactions(1);
    done.bytes += Bytes(request_.size() + response_.size());
  }

  Order order_;
  std::vector<std::byte> request_, response_;
};

}  // namespace

std::unique_ptr<Generator> make_tcp_rr(const Order& order) {
  return std::make_unique<TcpRr>(order);
}

}  // namespace vtax
