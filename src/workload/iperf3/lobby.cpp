#include "workload/iperf3/lobby.h"

#include <sys/socket.h>

#include <cerrno>

namespace vtax::iperf3 {

void Lobby::admit(int listener) {
  Descriptor connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection.valid()) return;
  if (guests_.size() >= kMostWaiting) guests_.erase(guests_.begin());
  guests_.push_back({std::move(connection), std::chrono::steady_clock::now()});
}

void Lobby::watch(std::vector<pollfd>& into) const {
  for (const Guest& guest : guests_) into.push_back({guest.connection.get(), POLLIN, 0});
}

std::optional<Lobby::Client> Lobby::next() {
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < guests_.size();) {
    Client client;
    const ssize_t seen = recv(guests_[i].connection.get(), client.cookie.data(), client.cookie.size(),
                              MSG_PEEK | MSG_DONTWAIT);
    const bool whole = seen == static_cast<ssize_t>(client.cookie.size());
    if (whole && plausible(client.cookie)) {
      static_cast<void>(
          recv(guests_[i].connection.get(), client.cookie.data(), client.cookie.size(), MSG_DONTWAIT));
      client.connection = std::move(guests_[i].connection);
      guests_.erase(guests_.begin() + static_cast<std::ptrdiff_t>(i));
      return client;
    }
    const bool gone = seen == 0 || (seen < 0 && errno != EAGAIN && errno != EINTR);
    if (whole || gone || now - guests_[i].since > kPatience)
      guests_.erase(guests_.begin() + static_cast<std::ptrdiff_t>(i));
    else
      ++i;
  }
  return std::nullopt;
}

void Lobby::dismiss() {
  const std::byte word = on_wire(State::access_denied);
  for (const Guest& guest : guests_)
    static_cast<void>(send(guest.connection.get(), &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
  guests_.clear();
}

}  // namespace vtax::iperf3
