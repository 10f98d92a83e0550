#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "core/result.h"
#include "workload/traffic/flow.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax {

// Known to the two sides of one session only: a connection or datagram that does not carry it is not theirs.
using FlowToken = std::array<std::uint8_t, 16>;

[[nodiscard]] std::string to_text(const FlowToken& token);  // 32 hexadecimal digits
[[nodiscard]] Result<FlowToken> flow_token(const JsonFields& fields, const char* key);

struct FlowSetup {
  int flows = 1;
  bool datagrams = false;
  FlowToken token{};
  SocketSettings sockets;
};

// Where a session's connections are made; for the responder its listener, for the initiator the address.
struct FlowPlace {
  int listener = -1;
  TcpAddress address;
};

// The initiator opens setup.flows connections and shows the token on each; the responder takes those that
// show it, in the order of their numbers, and closes all others. For datagrams each then agrees on a pair of
// ports. A `source_port` other than 0 is used for the first connection, the next for the second and so on;
// likewise the responder's datagram sockets take the ports after the listener's when it is not 0: in the lab
// every run is the same.
[[nodiscard]] Result<std::vector<Flow>> connect_flows(const TcpAddress& to, std::uint16_t source_port,
                                                      const FlowSetup& setup, const Watchdog& watchdog);
[[nodiscard]] Result<std::vector<Flow>> accept_flows(int listener, bool fixed_ports, const FlowSetup& setup,
                                                     const Watchdog& watchdog);

}  // namespace vtax
