// Whose packets are: network namespaces and pairs of devices that are really there.

#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>

#include "core/descriptor.h"
#include "platform/links.h"
#include "platform/namespace.h"
#include "tests/watch/watched.h"

namespace vtax::watch {
namespace {

void send_to_oneself_over_lo() {
  if (unshare(CLONE_NEWNET) != 0) _exit(2);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq up{};
  std::copy_n("lo", 3, up.ifr_name);
  up.ifr_flags = IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &up) != 0) _exit(3);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof to;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&to), &size) != 0)
    _exit(4);
  char byte = 0;
  while (sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1 &&
         recv(fd, &byte, 1, 0) == 1) {
  }
  _exit(5);
}

TEST(Watch, PacketsAreTheirNetworkNamespaces) {
  const Group one(unique("sends")), two(unique("burns"));
  if (!one.made() || !two.made()) GTEST_SKIP() << "this user may make no control groups here";
  const Child sender(send_to_oneself_over_lo, &one), burner(
                                                         [] {
                                                           while (true) burn(milliseconds(1000));
                                                         },
                                                         &two);
  ASSERT_TRUE(sender.ready() && burner.ready());
  std::this_thread::sleep_for(milliseconds(50));
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  std::this_thread::sleep_for(milliseconds(500));
  const Reading reading = read(*watch);
  if (reading.cpus.empty()) GTEST_SKIP() << reading.missing.front();
  const GuestUse *sends = guest(reading, unique("sends")), *burns = guest(reading, unique("burns"));
  ASSERT_NE(sends, nullptr);
  ASSERT_NE(burns, nullptr);
  EXPECT_GT(sends->caused.packets_ns, 1'000'000U);
  EXPECT_LT(burns->caused.packets_ns * 20, sends->caused.packets_ns);
}

void wait_for(const Descriptor& end) {
  char byte = 0;
  if (::read(end.get(), &byte, 1) != 1) _exit(20);
}

void tell(const Descriptor& end) {
  if (write(end.get(), "x", 1) != 1) _exit(21);
}

// In a network namespace of its own, which stands for the host's: what a container sends through a pair of
// devices arrives at the host's end, whose softirqs are the container's.
int watch_a_pair_of_devices(const Group& group) {
  int there[2], back[2];
  if (unshare(CLONE_NEWNET) != 0 || pipe(there) != 0 || pipe(back) != 0) return 30;
  const Descriptor there_in(there[0]), there_out(there[1]), back_in(back[0]), back_out(back[1]);
  const std::string mac = "02:00:00:00:00:01";
  const Child sender(
      [&] {
        if (unshare(CLONE_NEWNET) != 0) _exit(22);
        tell(back_out);
        wait_for(there_in);
        auto links = Links::open();
        if (!links || !links->set_up("inner") || !links->add_address("inner", "10.9.8.2", 24) ||
            !links->add_neighbour("inner", "10.9.8.1", mac))
          _exit(23);
        tell(back_out);
        const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(9);
        to.sin_addr.s_addr = htonl(0x0a090801);
        while (sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1) {
        }
        _exit(24);
      },
      &group);
  wait_for(back_in);
  auto links = Links::open();
  const auto its = namespace_of(sender.id());
  if (!links || !its || !links->add_veth("outer", "inner") || !links->set_mac("outer", mac) ||
      !links->move("inner", its->get()) || !links->set_up("outer"))
    return 31;
  tell(there_out);
  wait_for(back_in);
  std::this_thread::sleep_for(milliseconds(50));
  auto watch = Watch::start({});
  if (!watch) return 32;
  std::this_thread::sleep_for(milliseconds(500));
  const Reading reading = read(*watch);
  const GuestUse* sends = guest(reading, unique("pair"));
  if (sends == nullptr || !sends->network) return 33;
  EXPECT_GT(sends->network->sent_packets, 1000U);
  EXPECT_LT(sends->network->received_packets, 100U);
  if (!reading.cpus.empty()) {
    EXPECT_GT(sends->caused.packets_ns, sends->network->sent_packets * 100);
  }
  return ::testing::Test::HasFailure() ? 34 : 0;
}

TEST(Watch, WhatComesThroughAPairOfDevicesIsItsContainers) {
  const Group group(unique("pair"));
  if (!group.made()) GTEST_SKIP() << "this user may make no control groups here";
  const pid_t child = fork();
  if (child == 0) _exit(watch_a_pair_of_devices(group));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 30)
    GTEST_SKIP() << "this user may make no network namespace";
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace vtax::watch
