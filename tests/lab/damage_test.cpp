// A file of the cache that is not what it was is said and made anew, and the counts are those of before.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <random>

#include "core/files.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Damage : public testing::Test {
 protected:
  std::size_t below(std::size_t most) { return random_() % most; }

  // Other bytes at random places, within the file as it is.
  void flip(const fs::path& file, std::size_t count) {
    const Descriptor open(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(open.valid()) << file;
    for (; count > 0; --count) {
      const auto place = static_cast<off_t>(below(fs::file_size(file)));
      std::uint8_t byte = 0;
      ASSERT_EQ(::pread(open.get(), &byte, 1, place), 1);
      byte = static_cast<std::uint8_t>(byte ^ (1U << below(8)));
      ASSERT_EQ(::pwrite(open.get(), &byte, 1, place), 1);
    }
  }

  TellStep hear() {
    return [this](std::string_view step) { said_ += std::string(step) + "\n"; };
  }

  std::string digest_of(const LabMachine& machine) {
    Trial trial;
    trial.factors = {{"platform", "native"},   {"topology", "inside"},       {"workload", "tcp-rr"},
                     {"direction", "receive"}, {"transactions", "20"},       {"request_bytes", "1"},
                     {"response_bytes", "1"},  {"warmup_transactions", "10"}};
    const auto done = machine.run(trial, hear());
    if (!done) ADD_FAILURE() << done.error().text();
    return trial.digest;
  }

  std::mt19937 random_{20261128};
  std::string said_;
};

TEST_F(Damage, ABootedMachineIsBootedAnewWithAWordAndCountsTheSame) {
  NEED_LAB(PlatformId::native);
  LabBench& bench = LabBench::get();
  const Folder store;
  const fs::path file = bench.copy_of_booted(PlatformId::native, store.path());
  const auto machine = bench.another(PlatformId::native, store.path(), bench.probe());
  const std::string before = digest_of(*machine);
  EXPECT_EQ(said_, "");
  flip(file, 1);
  EXPECT_EQ(digest_of(*machine), before);
  EXPECT_THAT(said_, HasSubstr("the booted machine of native in the cache is damaged, it is booted anew"));
  EXPECT_THAT(said_, HasSubstr("its file in the cache is not what was saved"));
  EXPECT_THAT(said_, HasSubstr("booting native once"));
  said_.clear();
  EXPECT_EQ(digest_of(*machine), before);
  EXPECT_EQ(said_, "");
}

TEST_F(Damage, AnImageIsBuiltAnewWithAWord) {
  NEED_LAB(PlatformId::native);
  const Folder folder;
  fs::create_directory_symlink(LabBench::get().store().parent_path() / "packages",
                               folder.path() / "packages");
  auto cache = PackageCache::open(folder.path());
  ASSERT_TRUE(cache) << cache.error().text();
  Sources sources;
  sources.agent = LabBench::get().agent();
  const auto build = [&] {
    said_.clear();
    auto image = build_lab_image(PlatformId::native, sources, *cache, Apt(), hear());
    EXPECT_TRUE(image) << image.error().text();
    return image.value_or(LabImage());
  };
  const LabImage image = build();
  const fs::path place = image.kernel.parent_path();
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(place))
    if (entry.is_regular_file()) files.push_back(entry.path());
  for (const fs::path& always : {image.kernel, image.initrd, place / "image.json", place / "content.list",
                                 files[below(files.size())]}) {
    const auto before = read_file(always);
    flip(always, 1);
    const LabImage again = build();
    EXPECT_THAT(said_, HasSubstr("is damaged, it is made anew")) << always;
    EXPECT_EQ(again.kernel_command_line, image.kernel_command_line);
    EXPECT_EQ(read_file(always).value(), before.value()) << always;
  }
  build();
  EXPECT_EQ(said_, "");
}

}  // namespace
}  // namespace vtax::lab
