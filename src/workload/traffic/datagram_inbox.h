#pragma once

#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>

namespace vtax {

// Room for what one recvmmsg(2) brings. Large: keep it on the heap.
class DatagramInbox {
 public:
  // As recvmmsg: how many messages came, at least one, or -1 with errno set.
  int receive(int fd) {
    for (std::size_t i = 0; i < kMessagesAtOnce; ++i) {
      parts_[i] = {room_.get() + i * kRoomBytes, kRoomBytes};
      msghdr& header = messages_[i].msg_hdr;
      header = {};
      header.msg_iov = &parts_[i];
      header.msg_iovlen = 1;
      header.msg_control = controls_[i].data();
      header.msg_controllen = controls_[i].size();
    }
    return recvmmsg(fd, messages_.data(), kMessagesAtOnce, MSG_WAITFORONE, nullptr);
  }

  // Calls take(data, length) for each datagram of a message until it says false: a message is one datagram,
  // or several of one size that the kernel has put together (UDP_GRO).
  template <class Take>
  void each_of(int message, Take take) {
    mmsghdr& one = messages_[static_cast<std::size_t>(message)];
    std::size_t segment = one.msg_len;
    for (cmsghdr* c = CMSG_FIRSTHDR(&one.msg_hdr); c != nullptr; c = CMSG_NXTHDR(&one.msg_hdr, c)) {
      if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO) continue;
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      if (size > 0) segment = static_cast<std::size_t>(size);
    }
    const auto* data = static_cast<const std::byte*>(one.msg_hdr.msg_iov->iov_base);
    for (std::size_t at = 0; at < one.msg_len; at += segment)
      if (!take(data + at, std::min<std::size_t>(segment, one.msg_len - at))) return;
  }

 private:
  static constexpr std::size_t kMessagesAtOnce = 32, kRoomBytes = 65'536;

  std::unique_ptr<std::byte[]> room_ =
      std::make_unique_for_overwrite<std::byte[]>(kMessagesAtOnce * kRoomBytes);
  std::array<iovec, kMessagesAtOnce> parts_{};
  std::array<mmsghdr, kMessagesAtOnce> messages_{};
  std::array<std::array<std::byte, CMSG_SPACE(sizeof(int))>, kMessagesAtOnce> controls_{};
};

}  // namespace vtax
