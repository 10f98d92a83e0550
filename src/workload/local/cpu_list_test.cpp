#include "workload/local/cpu_list.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(CpuList, ReadsWhatTheKernelWrites) {
  const std::vector<int> usable = usable_cpus();
  const std::string first = std::to_string(usable.front());
  EXPECT_EQ(read_cpu_list("--cpus", first).value(), std::vector{usable.front()});
  EXPECT_EQ(read_cpu_list("--cpus", first + "-" + first).value(), std::vector{usable.front()});
  if (usable.size() < 2) GTEST_SKIP() << "one CPU only";
  const std::string backwards = std::to_string(usable[1]) + "," + first;
  EXPECT_EQ(read_cpu_list("--cpus", backwards).value(), (std::vector{usable[0], usable[1]}));
}

TEST(CpuList, RefusesWhatIsNoListOfUsableCpus) {
  const std::string first = std::to_string(usable_cpus().front());
  for (const std::string& text :
       {std::string(), std::string(","), std::string("a"), std::string("-1"), std::string("1-"),
        std::string("3-2"), first + ",", first + "," + first, first + ";", std::string("1023"),
        std::string("100000"), std::string("0-99999999"), std::string("9223372036854775808")}) {
    const auto read = read_cpu_list("--cpus", text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ExitCode::usage);
    EXPECT_FALSE(read.error().next.empty());
  }
}

TEST(Pinned, GivesTheOldCpusBack) {
  const std::vector<int> before = usable_cpus();
  {
    const Pinned pinned(before.back());
    ASSERT_TRUE(pinned.done());
    EXPECT_EQ(usable_cpus(), std::vector{before.back()});
    EXPECT_EQ(sched_getcpu(), before.back());
  }
  EXPECT_EQ(usable_cpus(), before);
}

}  // namespace
}  // namespace vtax
