#include "workload/session/lobby.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "workload/session/handshake.h"

namespace vtax {
namespace {

constexpr std::size_t kMostSaid = 1024;
constexpr int kMostAtOnce = 64;  // then the others get a turn

bool tell(int fd, const nlohmann::json& message) {
  const std::string line = message.dump() + "\n";
  return send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(line.size());
}

}  // namespace

void Lobby::admit(int listener) {
  for (int i = 0; i < kMostAtOnce; ++i) {
    Guest guest{Descriptor(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)), {}, "", "", {}};
    if (!guest.connection.valid()) return;
    guest.from = NetAddress::of_partner(guest.connection.get());
    guest.since = std::chrono::steady_clock::now();
    const auto challenge = make_challenge();
    if (!challenge || !tell(guest.connection.get(), greeting_with(*challenge))) continue;
    guest.challenge = *challenge;
    if (guests_.size() >= kMostWaiting) make_room();
    guests_.push_back(std::move(guest));
  }
}

// Who opens connections without end crowds out himself.
void Lobby::make_room() {
  std::size_t leaves = 0, most = 0;
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    const auto same =
        static_cast<std::size_t>(std::count_if(guests_.begin(), guests_.end(), [&](const Guest& one) {
          return one.from.same_host(guests_[i].from);
        }));
    if (same > most) {
      most = same;
      leaves = i;  // the first of its address: the one that waits longest
    }
  }
  guests_.erase(guests_.begin() + static_cast<std::ptrdiff_t>(leaves));
  ++refused_;
}

void Lobby::watch(std::vector<pollfd>& into) const {
  for (const Guest& guest : guests_) into.push_back({guest.connection.get(), POLLIN, 0});
}

Lobby::Step Lobby::hear(Guest& guest, std::string& challenge) {
  std::array<char, kMostSaid> buffer{};
  const ssize_t got = recv(guest.connection.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Step::waits;
  if (got <= 0) return Step::leaves;
  guest.said.append(buffer.data(), static_cast<std::size_t>(got));
  const std::size_t newline = guest.said.find('\n');
  if (newline == std::string::npos && guest.said.size() <= kMostSaid) return Step::waits;
  // A client says no more before it is welcome.
  const bool alone = newline != std::string::npos && newline + 1 == guest.said.size();
  const auto answer = JsonFields::parse("message from the client",
                                        std::string_view(guest.said).substr(0, alone ? newline : 0));
  auto proved =
      answer ? challenge_of(*answer, guest.challenge, secret_) : Result<std::string>(fail(answer.error()));
  if (!proved) {
    tell(guest.connection.get(), {{"state", "refused"}});
    return Step::leaves;
  }
  challenge = std::move(*proved);
  return Step::enters;
}

std::optional<Lobby::Client> Lobby::next() {
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < guests_.size();) {
    Client client;
    const Step step = hear(guests_[i], client.challenge);
    const bool late = step == Step::waits && now - guests_[i].since > kPatience;
    if (step == Step::waits && !late) {
      ++i;
      continue;
    }
    client.connection = std::move(guests_[i].connection);
    guests_.erase(guests_.begin() + static_cast<std::ptrdiff_t>(i));
    if (step == Step::enters) return client;
    ++refused_;
  }
  return std::nullopt;
}

std::uint64_t Lobby::take_refused() {
  return std::exchange(refused_, 0);
}

}  // namespace vtax
