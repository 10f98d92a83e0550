#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <thread>
#include <vector>

#include "core/descriptor.h"

namespace vtax::iperf3 {

// Stands between a client and a server on 127.0.0.1: connections go through as they are, and of the datagrams
// of payload one in `every` is dropped, counted for each stream and direction by itself.
class LossyRelay {
 public:
  LossyRelay(std::uint16_t server_port, unsigned every);
  ~LossyRelay();
  LossyRelay(const LossyRelay&) = delete;
  LossyRelay& operator=(const LossyRelay&) = delete;

  std::uint16_t port = 0;

 private:
  struct DatagramStream {
    Descriptor upstream;
    sockaddr_storage client{};
    socklen_t client_size = 0;
    unsigned up = 0, down = 0;  // datagrams of payload so far
  };

  void run();
  void take_connection();
  void pump(int from, int to);
  void from_client();
  void from_server(DatagramStream& stream);

  std::uint16_t server_port_;
  unsigned every_;
  Descriptor listener_, datagrams_;
  std::map<std::uint16_t, DatagramStream> streams_;  // by the client's port
  std::vector<Descriptor> connections_;
  std::atomic<bool> over_{false};
  std::vector<std::jthread> pumps_;
  std::jthread thread_;
};

}  // namespace vtax::iperf3
