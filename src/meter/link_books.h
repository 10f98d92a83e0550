#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

struct nl_sock;

namespace vtax::meter {

struct PacketCounters {
  std::uint64_t received_packets = 0, sent_packets = 0, received_bytes = 0, sent_bytes = 0, drops = 0;
};

// A network device of this network namespace.
struct LinkReading {
  std::uint32_t index = 0;
  std::string name, kind;  // kind: "tun", "veth", "bridge", ...; empty: a card, a vif, lo
  std::optional<int>
      other_end_namespace;  // of a veth whose other end is elsewhere, as this namespace numbers it
  PacketCounters counters;  // as the host sees it
};

// By rtnetlink, all devices in one question: names, whose other end they are, and counters belong together.
class LinkBooks {
 public:
  [[nodiscard]] static Result<LinkBooks> open();
  [[nodiscard]] Result<std::vector<LinkReading>> read();
  // By which number this network namespace knows that of a process; nothing if it knows none.
  [[nodiscard]] std::optional<int> number_of_namespace(int process);

 private:
  struct Close {
    void operator()(nl_sock* socket) const;
  };
  std::unique_ptr<nl_sock, Close> socket_;
};

// /proc/PID/net/dev: the sum over all devices but lo, as who is in that namespace sees them.
[[nodiscard]] std::optional<PacketCounters> parse_net_dev(std::string_view text);

}  // namespace vtax::meter
