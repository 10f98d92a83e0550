#include "machine/host/xen_keeper.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

namespace vtax::host {
namespace {

namespace fs = std::filesystem;

// A folder with an `xl` that keeps a file for each domain. Making one takes half a second, and is half done
// in the middle.
class Keeper : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "vtax-keeper-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    fs::create_directory(folder_ / "logs");
    fs::create_directory(folder_ / "domains");
    std::ofstream(folder_ / "xl.conf") << "autoballoon=\"on\"\n";
    std::ofstream script(folder_ / "xl");
    script << "#!/bin/sh\ncd " << folder_.string() << R"(
case $1 in
info) printf 'xen_version : 4.17.5\nfree_memory : %s\nnr_cpus : 2\n' $(cat free) ;;
domid) [ $2 = Domain-0 ] && { echo 0; exit; }
  [ -e domains/$2 ] && echo 7 ;;
create) name=$(sed -n 's/^name=//p' $2)
  echo half > domains/$name; cp xl.conf conf-seen; echo said > logs/xl-$name.log
  sleep 0.5
  case $(cat $2) in
  *hvm*) sh -c 'echo $$ > device-model; while :; do sleep 1; done' qemu -xen-domid 7 &
    while [ ! -s device-model ]; do sleep 0.05; done ;;  # as xl waits for QEMU
  *broken*) echo "no kernel image" > logs/qemu-dm-$name.log; echo "it did not start"; exit 1 ;;
  esac
  echo made > domains/$name; echo $name >> finished ;;
destroy) echo $2 >> destroyed; rm domains/$2 ;;
esac
)";
    script.close();
    fs::permissions(folder_ / "xl", fs::perms::owner_all);
    std::ofstream(folder_ / "free") << 1000;
    toolstack_.xl = folder_ / "xl";
    toolstack_.logs = folder_ / "logs";
    toolstack_.settings = folder_ / "xl.conf";
    auto keeper = XenKeeper::start(toolstack_);
    ASSERT_TRUE(keeper) << keeper.error().text();
    const auto made = keeper->hands().create("probe", "name=probe\n", 192);
    if (!made && made.error().text().find("mount") != std::string::npos)
      GTEST_SKIP() << "mounts are root's: " << made.error().text();
    ASSERT_TRUE(made) << made.error().text();
    ASSERT_TRUE(keeper->finish());
    fs::remove(folder_ / "finished");
    fs::remove(folder_ / "destroyed");
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string text(const char* name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::size_t domains() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_ / "domains"), {}));
  }
  // In a process that is then killed.
  void kill_after(const std::function<void(XenHands)>& work, std::chrono::milliseconds time) {
    const pid_t child = fork();
    if (child == 0) {
      auto keeper = XenKeeper::start(toolstack_);
      if (keeper) work(keeper->hands());
      pause();
    }
    std::this_thread::sleep_for(time);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  [[nodiscard]] bool is_destroyed_soon(const std::string& name) const {
    for (int tries = 0; tries < 500; ++tries) {
      if (text("destroyed") == name + "\n" && domains() == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  fs::path folder_;
  XenToolstack toolstack_;
};

TEST_F(Keeper, WhatItHasMadeItDestroys) {
  auto keeper = XenKeeper::start(toolstack_);
  ASSERT_TRUE(keeper);
  const auto one = keeper->hands().create("vtax-1-1", "name=vtax-1-1\n", 192);
  ASSERT_TRUE(one) << one.error().text();
  EXPECT_EQ(one->domain, 7);
  EXPECT_EQ(one->device_model, 0);
  ASSERT_TRUE(keeper->hands().create("vtax-1-2", "name=vtax-1-2\n", 192));
  EXPECT_EQ(domains(), 2U);
  const auto done = keeper->finish();
  EXPECT_TRUE(done) << done.error().text();
  EXPECT_EQ(domains(), 0U);
  EXPECT_EQ(text("destroyed"), "vtax-1-1\nvtax-1-2\n");
  EXPECT_TRUE(fs::is_empty(folder_ / "logs"));
}

TEST_F(Keeper, ADeviceModelIsFoundPlacedAndEndedWithItsDomain) {
  auto keeper = XenKeeper::start(toolstack_);
  ASSERT_TRUE(keeper);
  const auto made = keeper->hands().create("vtax-5-1", "name=vtax-5-1\ntype=hvm\n", 192);
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(std::to_string(made->device_model) + "\n", text("device-model"));
  cpu_set_t cpus;
  ASSERT_EQ(sched_getaffinity(0, sizeof cpus, &cpus), 0);
  int first = 0;
  while (!CPU_ISSET(static_cast<std::size_t>(first), &cpus)) ++first;
  const auto placed = keeper->hands().place_device_model(7, first);
  EXPECT_TRUE(placed) << placed.error().text();
  EXPECT_FALSE(keeper->hands().place_device_model(8, first));
  ASSERT_EQ(sched_getaffinity(made->device_model, sizeof cpus, &cpus), 0);
  EXPECT_EQ(CPU_COUNT(&cpus), 1);
  EXPECT_TRUE(CPU_ISSET(static_cast<std::size_t>(first), &cpus));
  EXPECT_TRUE(keeper->finish());
  EXPECT_EQ(kill(made->device_model, 0), -1);
}

TEST_F(Keeper, ADeviceModelOutlivesNobodyWhoIsKilled) {
  kill_after(
      [](const XenHands& hands) {
        static_cast<void>(hands.create("vtax-6-1", "name=vtax-6-1\ntype=hvm\n", 192));
      },
      std::chrono::milliseconds(1500));
  EXPECT_TRUE(is_destroyed_soon("vtax-6-1")) << text("destroyed");
  const pid_t device_model = std::stoi(text("device-model"));
  for (int tries = 0; tries < 500 && kill(device_model, 0) == 0; ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(kill(device_model, 0), -1);
}

TEST_F(Keeper, WhyADeviceModelDidNotStartComesBack) {
  auto keeper = XenKeeper::start(toolstack_);
  ASSERT_TRUE(keeper);
  const auto made = keeper->hands().create("vtax-7-1", "name=vtax-7-1\nbroken\n", 192);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text().find("no kernel image"), std::string::npos) << made.error().text();
}

TEST_F(Keeper, XlMayTakeNoMemoryFromDomain0) {
  auto keeper = XenKeeper::start(toolstack_);
  ASSERT_TRUE(keeper);
  ASSERT_TRUE(keeper->hands().create("vtax-1-1", "name=vtax-1-1\n", 192));
  EXPECT_EQ(text("conf-seen"), "autoballoon=\"on\"\n\nautoballoon=\"off\"\n");
  EXPECT_EQ(text("xl.conf"), "autoballoon=\"on\"\n");  // the computer's own
  std::ofstream(folder_ / "free") << 150;
  const auto refused = keeper->hands().create("vtax-1-2", "name=vtax-1-2\n", 192);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("150 MiB"), std::string::npos) << refused.error().text();
}

TEST_F(Keeper, ItOutlivesWhoIsKilled) {
  kill_after(
      [](const XenHands& hands) { static_cast<void>(hands.create("vtax-2-1", "name=vtax-2-1\n", 192)); },
      std::chrono::milliseconds(1500));
  EXPECT_TRUE(is_destroyed_soon("vtax-2-1")) << text("destroyed");
}

TEST_F(Keeper, WhatIsHalfMadeIsFinishedFirst) {
  kill_after(
      [](const XenHands& hands) { static_cast<void>(hands.create("vtax-3-1", "name=vtax-3-1\n", 192)); },
      std::chrono::milliseconds(250));
  EXPECT_TRUE(is_destroyed_soon("vtax-3-1")) << text("destroyed");
  EXPECT_EQ(text("finished"), "vtax-3-1\n");
}

TEST_F(Keeper, AnErrorOfXlComesBackWithItsWords) {
  toolstack_.xl = "/nowhere/xl";
  auto keeper = XenKeeper::start(toolstack_);
  ASSERT_TRUE(keeper);
  const auto made = keeper->hands().create("vtax-4-1", "name=vtax-4-1\n", 192);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text().find("xl"), std::string::npos);
}

}  // namespace
}  // namespace vtax::host
