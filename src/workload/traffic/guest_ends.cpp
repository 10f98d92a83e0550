#include "workload/traffic/guest_ends.h"

#include <poll.h>
#include <sys/epoll.h>

#include <utility>

namespace vtax {
namespace {

bool can_be_read(int descriptor, std::chrono::milliseconds patience = {}) {
  pollfd ready{descriptor, POLLIN, 0};
  return poll(&ready, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace

void GuestEnds::add(Descriptor sign, std::function<Error()> of_what) {
  if (!sign.valid()) return;
  if (!any_.valid()) any_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  epoll_event readable{};
  readable.events = EPOLLIN;
  if (epoll_ctl(any_.get(), EPOLL_CTL_ADD, sign.get(), &readable) == 0)
    guests_.push_back({std::move(sign), std::move(of_what)});
}

std::optional<Error> GuestEnds::error(std::chrono::milliseconds patience) const {
  if (!any_.valid() || !can_be_read(any_.get(), patience)) return std::nullopt;
  for (const Watched& guest : guests_)
    if (can_be_read(guest.sign.get())) return guest.of_what();
  return std::nullopt;
}

}  // namespace vtax
