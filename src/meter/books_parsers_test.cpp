#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include <random>

#include "core/noise_for_test.h"
#include "meter/group_books.h"
#include "meter/link_books.h"
#include "meter/process_table.h"

namespace vtax::meter {
namespace {

constexpr const char* kStatLine =
    "4711 (a) b (c)) S 12 4711 1 0 -1 4194560 100 0 0 0 7 8 0 0 20 0 3 0 123456 1000 200 "
    "18446744073709551615 1 1 0 "
    "0 0 0 0 0 0 0 0 0 17 5 0 0 0 99 0 0 0 0 0 0 0 0 0\n";
constexpr const char* kIoStat =
    "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=1 wios=3\n";
constexpr const char* kNetDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo\n"
    "    lo:     500       5    0    0    0     0          0         0      500       5    0    0    0     0 "
    " 0  0\n"
    "  eth0:    1000      10    0    1    0     0          0         0     2000      20    0    2    0     0 "
    " 0  0\n"
    "  eth1:1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n";
constexpr const char* kMountinfo =
    "30 23 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct\n"
    "31 23 0:27 / /sys/fs/cgroup\\040two rw shared:11 - cgroup2 cgroup2 rw\n"
    "32 23 0:28 / /tmp rw - tmpfs tmpfs rw\n";

TEST(ProcessLine, ReadsFieldsBehindAnyName) {
  const auto line = parse_process_line(kStatLine);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->name, "a) b (c)");
  EXPECT_EQ(line->state, 'S');
  EXPECT_EQ(line->parent, 12);
  EXPECT_EQ(line->flags, 4194560U);
  EXPECT_EQ(line->born_ticks, 123456U);
  EXPECT_EQ(line->cpu, 5);
  EXPECT_EQ(line->guest_ticks, 99U);
  EXPECT_FALSE(parse_process_line("4711 no brackets S 1"));
  EXPECT_FALSE(parse_process_line("1 (short) S 1 2"));
}

TEST(ProcessLine, IsThatOfThisKernel) {
  std::string buffer;
  const auto text = read_once(AT_FDCWD, "/proc/self/stat", buffer);
  ASSERT_TRUE(text);
  const auto line = parse_process_line(*text);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->parent, getppid());
  EXPECT_GT(line->born_ticks, 0U);
}

TEST(GroupFiles, AreRead) {
  const auto counters = parse_io_stat(kIoStat);
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->reads, 1U);
  EXPECT_EQ(counters->writes, 5U);
  EXPECT_EQ(counters->read_bytes, 4097U);
  EXPECT_EQ(counters->written_bytes, 8192U);
  EXPECT_FALSE(parse_io_stat(""));
  const auto old =
      parse_blkio("8:0 Read 3\n8:0 Write 4\n8:0 Total 7\nTotal 7\n", "8:0 Read 12\n8:0 Write 16\n");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->reads, 3U);
  EXPECT_EQ(old->written_bytes, 16U);
  EXPECT_FALSE(parse_blkio("Total 0\n", "Total 0\n")) << "nothing was counted: that is not known to be none";
  const GroupMounts mounts = parse_group_mounts(kMountinfo);
  EXPECT_EQ(mounts.at("cpuacct"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(mounts.at(""), "/sys/fs/cgroup two");
  EXPECT_FALSE(mounts.contains("tmpfs"));
  const auto groups = parse_groups("4:cpu,cpuacct:/a:b\n0::/c\nnonsense\n");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].first, "cpu,cpuacct");
  EXPECT_EQ(groups[0].second, "/a:b");
  EXPECT_EQ(groups[1].second, "/c");
}

TEST(NetDev, SumsAllButLoopback) {
  const auto sum = parse_net_dev(kNetDev);
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->received_packets, 11U);
  EXPECT_EQ(sum->sent_packets, 21U);
  EXPECT_EQ(sum->received_bytes, 1001U);
  EXPECT_EQ(sum->sent_bytes, 2001U);
  EXPECT_EQ(sum->drops, 3U);
  EXPECT_FALSE(parse_net_dev("Inter-|\n lo: 1 2 3 4 5 6 7 8 9 10 11 12\n"));
}

// What noise may change is a number; what it may not is whether the answer is one at all.
TEST(BooksParsers, NoiseIsNoCrashAndGivesNothingThatTheTextHasNot) {
  std::mt19937_64 random(5);
  int lines = 0;
  for (int round = 0; round < 4000; ++round) {
    if (const std::string text = with_noise(kStatLine, random); const auto line = parse_process_line(text)) {
      ++lines;
      EXPECT_NE(text.find(line->name), std::string::npos);
    }
    const std::string counters = with_noise(kIoStat, random), devices = with_noise(kNetDev, random);
    if (const auto sum = parse_io_stat(counters)) {
      EXPECT_NE(counters.find('='), std::string::npos);
    }
    if (parse_net_dev(devices)) {
      EXPECT_NE(devices.find(':'), std::string::npos);
    }
    for (const auto& [controller, point] : parse_group_mounts(with_noise(kMountinfo, random)))
      EXPECT_EQ(controller.find(' '), std::string::npos);
    for (const auto& [controller, path] : parse_groups(with_noise("4:cpu,cpuacct:/a:b\n0::/c\n", random)))
      EXPECT_EQ(controller.find('\n') == std::string::npos && path.find('\n') == std::string::npos, true);
  }
  EXPECT_GT(lines, 400) << "noise that breaks every line tests nothing";
}

TEST(ProcessTable, SeesAChildComeAndGo) {
  auto table = ProcessTable::open();
  ASSERT_TRUE(table);
  ASSERT_TRUE(table->scan());
  ASSERT_TRUE(table->all().contains(getpid()));
  EXPECT_EQ(table->all().at(getpid()).parent, getppid());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte = 0;
    _exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
  }
  const auto before = table->changes();
  ASSERT_TRUE(table->scan());
  EXPECT_GT(table->changes(), before);
  EXPECT_EQ(table->all().at(child).parent, getpid());
  ThreadBooks books(child, false);
  const auto threads = books.read(10);
  ASSERT_TRUE(threads);
  EXPECT_EQ(threads->size(), 1U);
  EXPECT_EQ(threads->at(child).born_ticks, table->all().at(child).born_ticks);
  EXPECT_TRUE(books.resident_bytes());
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_FALSE(books.read(10)) << "the files of a process that is gone stay gone";
  ASSERT_TRUE(table->scan());
  EXPECT_FALSE(table->all().contains(child));
  close(ends[0]);
  close(ends[1]);
}

TEST(LinkBooks, KnowsLoopback) {
  auto books = LinkBooks::open();
  ASSERT_TRUE(books) << books.error().text();
  for (int round = 0; round < 2; ++round) {
    const auto links = books->read();
    ASSERT_TRUE(links) << links.error().text();
    const auto lo =
        std::find_if(links->begin(), links->end(), [](const auto& link) { return link.name == "lo"; });
    ASSERT_NE(lo, links->end());
    EXPECT_EQ(lo->index, 1U);
  }
}

}  // namespace
}  // namespace vtax::meter
