#include "tests/iperf3/lossy_relay.h"

#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace vtax::iperf3 {
namespace {

constexpr std::size_t kHelloBytes = 4;  // iperf3's way to open a datagram stream: never dropped

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

const sockaddr* general(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::uint16_t bound_port(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

Descriptor connected(int type, std::uint16_t port) {
  Descriptor fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const sockaddr_in to = loopback(port);
  if (connect(fd.get(), general(to), sizeof to) != 0) fd.reset();
  return fd;
}

}  // namespace

LossyRelay::LossyRelay(std::uint16_t server_port, unsigned every) : server_port_(server_port), every_(every) {
  // The same port for both, as iperf3 has it; that the second is free is likely, not sure.
  for (int i = 0; i < 50; ++i) {
    listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    datagrams_ = Descriptor(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_in any = loopback(0);
    if (bind(listener_.get(), general(any), sizeof any) != 0 || listen(listener_.get(), 64) != 0) continue;
    port = bound_port(listener_.get());
    const sockaddr_in same = loopback(port);
    if (bind(datagrams_.get(), general(same), sizeof same) == 0) break;
  }
  thread_ = std::jthread([this] { run(); });
}

LossyRelay::~LossyRelay() {
  over_ = true;
  thread_.join();
  for (const Descriptor& one : connections_) shutdown(one.get(), SHUT_RDWR);
  pumps_.clear();
}

void LossyRelay::run() {
  while (!over_) {
    std::vector<pollfd> waiting{{listener_.get(), POLLIN, 0}, {datagrams_.get(), POLLIN, 0}};
    std::vector<DatagramStream*> streams;
    for (auto& [client, stream] : streams_) {
      waiting.push_back({stream.upstream.get(), POLLIN, 0});
      streams.push_back(&stream);
    }
    if (poll(waiting.data(), waiting.size(), 50) <= 0) continue;
    for (std::size_t i = 0; i < streams.size(); ++i)
      if (waiting[i + 2].revents != 0) from_server(*streams[i]);
    if (waiting[0].revents != 0) take_connection();
    if (waiting[1].revents != 0) from_client();
  }
}

void LossyRelay::take_connection() {
  Descriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  Descriptor server = connected(SOCK_STREAM, server_port_);
  if (!client.valid() || !server.valid()) return;
  const int one = client.get(), two = server.get();
  connections_.push_back(std::move(client));
  connections_.push_back(std::move(server));
  pumps_.emplace_back([this, one, two] { pump(one, two); });
  pumps_.emplace_back([this, one, two] { pump(two, one); });
}

void LossyRelay::pump(int from, int to) {
  std::vector<char> buffer(1 << 16);
  while (true) {
    const ssize_t got = recv(from, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    for (ssize_t done = 0; done < got;) {
      const ssize_t some = send(to, buffer.data() + done, static_cast<std::size_t>(got - done), MSG_NOSIGNAL);
      if (some <= 0) return;
      done += some;
    }
  }
  shutdown(to, SHUT_WR);
}

void LossyRelay::from_client() {
  std::array<char, 65536> buffer;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const ssize_t got = recvfrom(datagrams_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from), &size);
  if (got < 0) return;
  sockaddr_in client{};
  std::memcpy(&client, &from, sizeof client);
  DatagramStream& stream = streams_[client.sin_port];
  const bool hello = got == static_cast<ssize_t>(kHelloBytes);
  if (!stream.upstream.valid() || hello) {  // a port may be taken again by the next test
    stream = {};
    stream.upstream = connected(SOCK_DGRAM, server_port_);
    stream.client = from;
    stream.client_size = size;
  }
  if (!hello && ++stream.up % every_ == 0) return;
  static_cast<void>(send(stream.upstream.get(), buffer.data(), static_cast<std::size_t>(got), MSG_DONTWAIT));
}

void LossyRelay::from_server(DatagramStream& stream) {
  std::array<char, 65536> buffer;
  const ssize_t got = recv(stream.upstream.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return;
  if (got != static_cast<ssize_t>(kHelloBytes) && ++stream.down % every_ == 0) return;
  static_cast<void>(sendto(datagrams_.get(), buffer.data(), static_cast<std::size_t>(got), MSG_DONTWAIT,
                           reinterpret_cast<const sockaddr*>(&stream.client), stream.client_size));
}

}  // namespace vtax::iperf3
