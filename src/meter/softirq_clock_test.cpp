#include "meter/softirq_clock.h"
#include "meter/loopback_for_test.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "meter/kernel_types.h"

namespace vtax::meter {
namespace {

std::vector<std::uint8_t> btf_of_this_kernel() {
  std::ifstream file("/sys/kernel/btf/vmlinux", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(KernelTypes, FindsMembersInNamelessUnions) {
  const auto btf = btf_of_this_kernel();
  if (btf.empty()) GTEST_SKIP() << "this kernel has no BTF";
  const auto types = KernelTypes::read(ByteView(btf));
  ASSERT_TRUE(types);
  EXPECT_EQ(types->offset_of("list_head", "prev"), 8U);
  EXPECT_TRUE(types->offset_of("sk_buff", "dev"));  // two levels of them
  EXPECT_FALSE(types->offset_of("sk_buff", "no_such_member"));
  EXPECT_FALSE(types->offset_of("no_such_structure", "dev"));
}

TEST(KernelTypes, NoiseIsNoCrash) {
  auto btf = btf_of_this_kernel();
  if (btf.empty()) GTEST_SKIP() << "this kernel has no BTF";
  btf.resize(20000);
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    auto bytes = btf;
    // The lengths in the head, made to fit what is left.
    const std::uint32_t lengths[4] = {0, 12000, 12000, 7000};
    std::memcpy(bytes.data() + 8, lengths, sizeof lengths);
    for (int change = 0; change < 200; ++change)
      bytes[round % 2 == 0 ? random() % bytes.size() : 24 + random() % 12000] =
          static_cast<std::uint8_t>(random());
    if (const auto types = KernelTypes::read(ByteView(bytes)))
      static_cast<void>(types->offset_of("sk_buff", "dev"));
  }
}

// Loopback packets are worked on in a softirq of this very thread.
TEST(SoftirqClock, TimeGoesToThePacketsNamespace) {
  const auto clock = SoftirqClock::start();
  if (!clock) GTEST_SKIP() << clock.error().text();
  ASSERT_NO_FATAL_FAILURE(send_packets_to_oneself());
  struct stat own {};
  ASSERT_EQ(stat("/proc/self/ns/net", &own), 0);
  const auto times = clock->read();
  ASSERT_TRUE(times);
  std::uint64_t sum = 0;
  for (const auto& [key, cpus] : *times)
    if (key.on_own_thread && key.network_namespace == own.st_ino)
      for (const std::uint64_t ns : cpus) sum += ns;
  EXPECT_GT(sum, 2000U * 100) << "2000 packets take more than 100 ns each";
  EXPECT_LT(sum, 10'000'000'000U);
}

}  // namespace
}  // namespace vtax::meter
