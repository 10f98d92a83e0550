// `vtax run` as a whole: however it ends, nothing stays behind and what was finished is kept.

#include <sys/resource.h>

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "record/run_reader.h"
#include "tests/run/own_cache_test.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr seconds kPatience{240};
constexpr std::size_t kTrials = 6;  // of small_run()

class RunVerb : public OwnCacheTest {
 protected:
  // Six small trials, one after the other.
  static std::vector<std::string> small_run(const fs::path& out, std::vector<std::string> more = {},
                                            std::size_t repetitions = 1) {
    std::vector<std::string> words = {"run",   "first-look",      "--set",  "platform=native",
                                      "--set", "workload=tcp-rr", "--set",  "transactions=20,40,60",
                                      "--set", "offloads=off",    "--jobs", "1",
                                      "--out", out.string(),      "--reps", std::to_string(repetitions)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  static std::map<std::uint64_t, std::string> unbroken();

  static int run(const std::vector<std::string>& arguments, const fs::path& directory,
                 std::string* said = nullptr) {
    VtaxProcess process(arguments, *cache_, directory);
    const auto code = process.wait(kPatience);
    if (said != nullptr) *said = process.output();
    if (!code || *code != 0) last_ = process.output();
    return code.value_or(-1);
  }

  static std::map<std::uint64_t, std::string> digests(const fs::path& file) {
    std::map<std::uint64_t, std::string> found;
    auto reader = RunReader::open(file);
    if (!reader) {
      ADD_FAILURE() << reader.error().text();
      return found;
    }
    const auto read = reader->for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
      EXPECT_EQ(trial.error, "");
      found[trial.index] = trial.digest;
      return {};
    });
    EXPECT_TRUE(read);
    return found;
  }

  static std::set<std::string> names_in(const fs::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory))
      names.insert(entry.path().filename().string());
    return names;
  }

  static inline std::string last_;
};

// The digests of a run that nobody disturbs.
std::map<std::uint64_t, std::string> RunVerb::unbroken() {
  static std::map<std::uint64_t, std::string> known;
  if (!known.empty()) return known;
  const lab::Folder folder;
  EXPECT_EQ(run(small_run("unbroken.vtax"), folder.path()), 0) << last_;
  EXPECT_THAT(names_in(folder.path()), ElementsAre("unbroken.vtax"));
  known = digests(folder.path() / "unbroken.vtax");
  EXPECT_EQ(known.size(), kTrials);
  return known;
}

TEST_F(RunVerb, KilledBeforeTheMachineIsThereLeavesNoPartOfIt) {
  const OwnCache cold;
  const lab::Folder folder;
  const fs::path temporary = cold.path() / "temporary";
  fs::create_directories(temporary / "of-a-killed-run");
  for (const auto delay : {milliseconds(50), milliseconds(250), milliseconds(5000)}) {
    VtaxProcess process(small_run("killed.vtax", {"--resume"}), cold, folder.path());
    EXPECT_FALSE(process.wait(delay)) << process.output();
    process.signal(SIGKILL);
    EXPECT_EQ(process.wait(seconds(10)), 128 + SIGKILL);
    EXPECT_TRUE(cold.emulators_are_gone());
  }
  // The image was built by the last of them at the latest; who builds cleans up after others.
  const bool built = fs::exists(cold.path() / "images") && !fs::is_empty(cold.path() / "images");
  EXPECT_TRUE(!built || !fs::exists(temporary) || fs::is_empty(temporary));
  if (!fs::exists(cold.path() / "machines")) return;
  for (const std::string& name : names_in(cold.path() / "machines")) EXPECT_THAT(name, HasSubstr(".lock"));
}

TEST_F(RunVerb, KilledAtAnyMomentItGoesOnAndCountsTheSame) {
  const auto expected = unbroken();
  const lab::Folder folder;
  std::mt19937 random(20261122);
  std::uniform_int_distribution<int> delay(30, 1800);
  for (int i = 0; i < 10; ++i) {
    VtaxProcess process(small_run("run.vtax", {"--resume"}), *cache_, folder.path());
    const auto code = process.wait(milliseconds(delay(random)));
    if (code) {
      EXPECT_EQ(*code, 0) << process.output();
    }
    process.signal(SIGKILL);
    process.wait(seconds(10));
    ASSERT_TRUE(cache_->emulators_are_gone()) << "after kill number " << i;
    for (const std::string& name : names_in(folder.path()))
      EXPECT_TRUE(name == "run.vtax" || name == "run.vtax-wal" || name == "run.vtax-shm") << name;
  }
  EXPECT_EQ(run(small_run("run.vtax", {"--resume"}), folder.path()), 0) << last_;
  EXPECT_THAT(names_in(folder.path()), ElementsAre("run.vtax"));
  EXPECT_EQ(digests(folder.path() / "run.vtax"), expected);
  const fs::path temporary = cache_->path() / "temporary";
  EXPECT_TRUE(!fs::exists(temporary) || fs::is_empty(temporary));
}

TEST_F(RunVerb, InterruptedItSaysHowToGoOn) {
  const auto expected = unbroken();  // the machine is booted then
  for (const int number : {SIGINT, SIGTERM}) {
    const lab::Folder folder;
    VtaxProcess process(small_run("my run"), *cache_, folder.path());
    // When a trial is kept: without one there is nothing to go on with.
    for (int i = 0; i < 3000 && process.output().find("[2/6") == std::string::npos; ++i)
      ASSERT_FALSE(process.wait(milliseconds(10)));
    process.signal(number);
    EXPECT_EQ(process.wait(seconds(10)), 130) << process.output();
    EXPECT_THAT(process.output(), HasSubstr("`vtax run --resume 'my run'` goes on"));
    EXPECT_TRUE(cache_->emulators_are_gone());
    for (const std::string& name : names_in(folder.path())) EXPECT_EQ(name, "my run");
    if (number == SIGTERM) continue;
    EXPECT_EQ(run({"run", "--resume", "my run"}, folder.path()), 0) << last_;
    EXPECT_EQ(digests(folder.path() / "my run"), expected);
  }
}

// A file system of a few pages, as a full disk; the computer's own if it is not to be had.
class SmallDisk {
 public:
  explicit SmallDisk(const char* size) {
    mounted_ =
        mount("none", folder_.path().c_str(), "tmpfs", MS_NOSUID, (std::string("size=") + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool enlarge(const char* size) {
    return mount("none", folder_.path().c_str(), "tmpfs", MS_REMOUNT | MS_NOSUID,
                 (std::string("size=") + size).c_str()) == 0;
  }
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const fs::path& path() const { return folder_.path(); }

 private:
  lab::Folder folder_;
  bool mounted_ = false;
};

TEST_F(RunVerb, OnAFullDiskKeepsWhatIsFinishedAndGoesOn) {
  SmallDisk disk("400k");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system is not allowed here";
  const auto expected = unbroken();
  constexpr std::size_t kRepetitions = 2;
  const auto words = small_run("run.vtax", {}, kRepetitions);
  std::string said;
  EXPECT_EQ(run(words, disk.path(), &said), 5) << said;
  EXPECT_THAT(said, HasSubstr("cannot write run file run.vtax: the disk is full"));
  EXPECT_THAT(said, HasSubstr("--resume"));
  EXPECT_TRUE(cache_->emulators_are_gone());
  const auto kept = digests(disk.path() / "run.vtax");
  EXPECT_FALSE(kept.empty());

  ASSERT_TRUE(disk.enlarge("8m"));
  auto more = words;
  more.push_back("--resume");
  EXPECT_EQ(run(more, disk.path()), 0) << last_;
  const auto all = digests(disk.path() / "run.vtax");
  EXPECT_EQ(all.size(), kTrials * kRepetitions);
  for (const auto& [index, digest] : all) {
    // A further repetition starts at another moment.
    if (index < kTrials) {
      EXPECT_EQ(digest, expected.at(index)) << index;
    }
    if (kept.contains(index)) {
      EXPECT_EQ(digest, kept.at(index));
    }
  }
}

// The distribution's own kernel, as a user's.
fs::path some_kernel() {
  const auto cache = lab::PackageCache::open();
  const auto packages = cache->find(lab::PackageSet::kernel);
  for (const auto& entry : fs::directory_iterator(packages->root / "boot"))
    if (entry.path().filename().string().starts_with("vmlinuz-") && !entry.is_symlink()) return entry.path();
  return {};
}

// Waits until it has said so, or ended.
bool says(VtaxProcess& process, const std::string& words) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (process.output().find(words) == std::string::npos && std::chrono::steady_clock::now() < end)
    if (process.wait(milliseconds(100))) break;
  return process.output().find(words) != std::string::npos;
}

TEST_F(RunVerb, AKernelThatWasReplacedIsNotMixedIntoTheRun) {
  const lab::Folder folder;
  fs::copy_file(some_kernel(), folder.path() / "k");
  // What it is made from is recorded before anything is booted.
  const auto begin = [&](const std::string& kernel) {
    VtaxProcess process(small_run("run.vtax", {"--resume", "--kernel", kernel}), *cache_, folder.path());
    EXPECT_TRUE(says(process, "booting native once")) << process.output();
  };
  begin("./k");
  fs::copy_file(folder.path() / "k", folder.path() / "copy");
  std::ofstream(folder.path() / "k", std::ios::binary | std::ios::app) << "another build";
  std::string said;
  EXPECT_EQ(run(small_run("run.vtax", {"--resume", "--kernel", "./k"}), folder.path(), &said), 2) << said;
  EXPECT_THAT(said, HasSubstr("it was made from something else; own kernel: the file has"));
  begin("./copy");  // the same kernel by another path
}

TEST_F(RunVerb, AKernelThatIsReplacedWhileTheRunGoesOnEndsIt) {
  const lab::Folder folder;
  fs::copy_file(some_kernel(), folder.path() / "k");
  // Two machines, one booted behind the other.
  VtaxProcess process(small_run("run.vtax", {"--kernel", "./k", "--vary", "layout:1"}), *cache_,
                      folder.path());
  ASSERT_TRUE(says(process, "booting native once")) << process.output();
  std::ofstream(folder.path() / "k", std::ios::binary | std::ios::app) << "another build";
  EXPECT_EQ(process.wait(kPatience), 5) << process.output();
  EXPECT_THAT(process.output(),
              HasSubstr("cannot go on with the run: the user's own files, vtax or the packages "
                        "have changed since it began"));
}

// Too little room for an emulator, as on a computer whose memory is full; vtax needs less.
class LittleMemory {
 public:
  LittleMemory() {
    getrlimit(RLIMIT_AS, &before_);
    constexpr rlim_t kRoom = 600U << 20;
    const rlimit less{kRoom, before_.rlim_max};
    setrlimit(RLIMIT_AS, &less);
  }
  LittleMemory(const LittleMemory&) = delete;
  LittleMemory& operator=(const LittleMemory&) = delete;
  ~LittleMemory() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

TEST_F(RunVerb, AMachineThatCannotBeBootedIsSaidOnceAndItsTrialsWaitForResume) {
  const lab::Folder folder;
  cache_ = std::make_unique<OwnCache>();  // in which nothing is booted yet
  std::string said;
  {
    const LittleMemory in_it;
    EXPECT_EQ(run(small_run("run.vtax"), folder.path(), &said), 4) << said;
  }
  const auto times = [&](const std::string& words) {
    int found = 0;
    for (std::size_t at = said.find(words); at != std::string::npos; at = said.find(words, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(times("failed: its machine could not be booted"), 1) << said;
  EXPECT_EQ(times("left out therefore, until --resume: 6 trials of native tcp-rr"), 1) << said;
  EXPECT_THAT(said, HasSubstr("Cannot allocate memory"));
  std::vector<std::string> errors;
  {
    auto reader = RunReader::open(folder.path() / "run.vtax");
    ASSERT_TRUE(reader);
    ASSERT_TRUE(reader->for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
      errors.push_back(trial.error);
      return {};
    }));
  }
  EXPECT_EQ(errors.size(), kTrials);
  for (const std::string& error : errors)
    EXPECT_THAT(error, testing::StartsWith("not tried: its machine could not be booted: "));

  EXPECT_EQ(run(small_run("run.vtax", {"--resume"}), folder.path(), &said), 0) << said;
  EXPECT_EQ(digests(folder.path() / "run.vtax").size(), kTrials);
}

// Its trials are left out, and the others measured.
TEST_F(RunVerb, AnImageThatCannotBeBuiltFailsItsTrialsAlone) {
  const lab::Folder folder;
  fs::create_directory(folder.path() / "big");
  std::ofstream(folder.path() / "big" / "file") << "x";
  fs::resize_file(folder.path() / "big" / "file", 513 << 20);  // a program may have 512 MiB
  std::ofstream(folder.path() / "two.toml") << R"(name = "two"
repetitions = 1
[factors]
platform = "native"
topology = "inside"
[[workload]]
name = "program"
files = "big"
client = "/file"
[[workload]]
name = "tcp-rr"
transactions = 20
)";
  std::string said;
  EXPECT_EQ(run({"run", "two.toml", "--jobs", "1", "--out", "run.vtax"}, folder.path(), &said), 4) << said;
  EXPECT_THAT(said, HasSubstr("its files have 513 MiB, and its systems keep 512 MiB at most"));
  EXPECT_THAT(said, HasSubstr("left out therefore, until --resume: 1 trial"));
  std::map<std::string, std::string> errors;
  auto reader = RunReader::open(folder.path() / "run.vtax");
  ASSERT_TRUE(reader) << said;
  ASSERT_TRUE(reader->for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
    errors[trial.factors.at("workload")] = trial.error;
    return {};
  }));
  EXPECT_THAT(errors["program"], testing::StartsWith("not tried: "));
  EXPECT_EQ(errors["tcp-rr"], "");
}

// The same where the machine was booted already, but does not come up again.
TEST_F(RunVerb, AMachineThatDoesNotComeBackIsSaidOnce) {
  const auto expected = unbroken();
  const lab::Folder folder;
  std::string said;
  {
    const LittleMemory in_it;
    EXPECT_EQ(run(small_run("run.vtax"), folder.path(), &said), 4) << said;
  }
  EXPECT_THAT(said, HasSubstr("left out therefore, until --resume: 5 trials of native tcp-rr"));
  EXPECT_EQ(run(small_run("run.vtax", {"--resume"}), folder.path(), &said), 0) << said;
  EXPECT_EQ(digests(folder.path() / "run.vtax"), expected);
}

TEST_F(RunVerb, AForeignKernelIsRefusedByName) {
  const lab::Folder folder;
  const auto refused = [&](const std::string& name, const std::string& content) {
    std::ofstream(folder.path() / name, std::ios::binary) << content;
    std::string said;
    EXPECT_EQ(run(small_run("run.vtax", {"--kernel", name}), folder.path(), &said), 2) << said;
    EXPECT_THAT(said, HasSubstr(name));
    EXPECT_FALSE(fs::exists(folder.path() / "run.vtax"))
        << "an empty run file stands in the way of the next run";
    return said;
  };
  EXPECT_THAT(refused("notes.txt", "This is no kernel.\n"), HasSubstr("text"));
  refused("empty", "");

  std::string arm64(4096, '\0');
  arm64.replace(0x38, 4, "ARM\x64");
  EXPECT_THAT(refused("Image", arm64), HasSubstr("arm64"));

  const fs::path kernel = some_kernel();
  std::ifstream in(kernel, std::ios::binary);
  std::string half(fs::file_size(kernel) / 2, '\0');
  in.read(half.data(), static_cast<std::streamsize>(half.size()));
  refused("vmlinuz-half", half);
}

}  // namespace
}  // namespace vtax
