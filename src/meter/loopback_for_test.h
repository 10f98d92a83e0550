#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>

namespace vtax::meter {

// 2,000 datagrams to this very thread over lo: they are worked on in softirqs on its back.
inline void send_packets_to_oneself() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof to;
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&to), &size), 0);
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 1);
    char byte = 0;
    ASSERT_EQ(recv(fd, &byte, 1, 0), 1);
  }
  close(fd);
}

}  // namespace vtax::meter
