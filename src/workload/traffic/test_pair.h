#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string_view>
#include <utility>

#include "core/descriptor.h"

namespace vtax {

// Two connected stream sockets for tests.
struct TestPair {
  Descriptor left, right;
};

inline TestPair make_test_pair() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  return {Descriptor(fds[0]), Descriptor(fds[1])};
}

inline void send_text(int fd, std::string_view text) {
  ASSERT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

}  // namespace vtax
