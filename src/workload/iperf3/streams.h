#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "workload/iperf3/control.h"
#include "workload/iperf3/parameters.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax::iperf3 {

// One of the test's data connections, or its datagram socket, which is connected to its partner.
struct Stream {
  int id = 0;
  bool sends = false;  // this side
  Descriptor socket;
};

// All streams of the test in the order of their numbers, from the client: those on which it sends come first.
// TCP connections show the cookie; a datagram socket asks with four bytes and is answered with four.
[[nodiscard]] Result<std::vector<Stream>> connect_streams(const TcpAddress& server, const Parameters& test,
                                                          const Cookie& cookie);

// Where the server waits for a test's streams.
class StreamAcceptor {
 public:
  // `listener` is the server's own; `at` its address, on which datagrams are waited for.
  [[nodiscard]] static Result<StreamAcceptor> open(int listener, const TcpAddress& at,
                                                   const Parameters& test);

  // Waits for them all, no longer than `patience`. Whoever comes from another address than the control
  // connection, or without the cookie, is told that the server is busy.
  [[nodiscard]] Result<std::vector<Stream>> accept(const Control& control, const Parameters& test,
                                                   const Cookie& cookie, std::chrono::milliseconds patience);

  // What could not be set as the client asked: a sentence each.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  StreamAcceptor(int listener, TcpAddress at) : listener_(listener), at_(std::move(at)) {}
  [[nodiscard]] Result<Descriptor> take_connection(const Parameters& test, const Cookie& cookie,
                                                   const NetAddress& client);
  [[nodiscard]] Result<Descriptor> take_datagrams(const Parameters& test, const NetAddress& client);

  int listener_;
  TcpAddress at_;
  Descriptor datagrams_;
  std::vector<std::string> warnings_;
};

// Accepts what waits at the listener, says that the server is busy, and closes it.
void turn_away(int listener);

}  // namespace vtax::iperf3
