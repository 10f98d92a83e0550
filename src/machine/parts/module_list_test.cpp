#include "machine/parts/module_list.h"

#include <gmock/gmock.h>
#include <unistd.h>
#include <zstd.h>

#include <fstream>

#include "core/files.h"
#include "machine/parts/elf_for_test.h"

namespace vtax::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ModuleTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(testing::TempDir()) / ("vtax-modules-" + std::to_string(::getpid()));
    std::filesystem::remove_all(root_);
    add("net/bridge/bridge.ko", module_for_test("stp,llc"));
    add("net/802/stp.ko", module_for_test("llc"));
    add("net/llc/llc.ko", module_for_test(""));
    add("drivers/net/xen-netback/xen-netback.ko.zst", packed(module_for_test("")));
    add("drivers/net/e1000e/e1000e.ko", module_for_test("ptp"));
    std::ofstream(release() / "modules.builtin")
        << "kernel/drivers/ptp/ptp.ko\nkernel/drivers/net/xen-netfront.ko\n";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] std::filesystem::path release() const { return root_ / "lib" / "modules" / "6.1.0-56-amd64"; }
  void add(const std::string& path, const ByteVector& content) const {
    std::filesystem::create_directories((release() / "kernel" / path).parent_path());
    ASSERT_TRUE(write_file(release() / "kernel" / path, content));
  }
  static ByteVector packed(const ByteVector& in) {
    ByteVector out(::ZSTD_compressBound(in.size()));
    out.resize(::ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 1));
    return out;
  }
  static std::vector<std::string> names(const Result<std::vector<Module>>& modules) {
    std::vector<std::string> out;
    if (!modules) return {modules.error().text()};
    for (const Module& module : *modules) out.push_back(module.name);
    return out;
  }

  std::filesystem::path root_;
};

TEST_F(ModuleTreeTest, PutsWhatIsNeededFirst) {
  const auto tree = ModuleTree::open(release());
  ASSERT_TRUE(tree) << tree.error().text();
  EXPECT_THAT(names(tree->closure({"e1000e", "bridge", "llc"})),
              ElementsAre("e1000e", "llc", "stp", "bridge"));
}

TEST_F(ModuleTreeTest, LeavesOutWhatIsBuiltInAndUnpacksTheRest) {
  const auto modules = ModuleTree::open(root_)->closure({"xen-netfront", "xen_netback"});
  ASSERT_THAT(names(modules), ElementsAre("xen_netback"));
  EXPECT_EQ(modules->at(0).object, module_for_test(""));
  EXPECT_EQ(modules->at(0).release, "6.1.0-56-amd64");
}

TEST_F(ModuleTreeTest, NamesAllThatIsMissing) {
  const auto modules = ModuleTree::open(release())->closure({"veth", "e1000e", "tun"});
  ASSERT_FALSE(modules);
  EXPECT_THAT(modules.error().text(), HasSubstr("veth, tun"));
}

TEST_F(ModuleTreeTest, SurvivesModulesThatNeedEachOther) {
  add("a.ko", module_for_test("b"));
  add("b.ko", module_for_test("a"));
  EXPECT_THAT(names(ModuleTree::open(release())->closure({"a"})), ElementsAre("b", "a"));
}

TEST_F(ModuleTreeTest, SaysWhatIsWrongWithAModuleOrADirectory) {
  add("text.ko", bytes_of("not a module\n"));
  EXPECT_THAT(ModuleTree::open(release())->closure({"text"}).error().text(), HasSubstr("a text file"));
  EXPECT_THAT(ModuleTree::open(release() / "none").error().text(), HasSubstr("not a directory"));
  std::filesystem::create_directories(root_ / "empty");
  EXPECT_THAT(ModuleTree::open(root_ / "empty").error().text(), HasSubstr("no module in it"));
  std::filesystem::create_directories(root_ / "lib" / "modules" / "6.2.0");
  EXPECT_THAT(ModuleTree::open(root_).error().text(), HasSubstr("several kernels"));
}

TEST(ReadModule, SurvivesTruncation) {
  const ByteVector whole = module_for_test("a,b");
  for (std::size_t size = 0; size < whole.size(); ++size) (void)read_module("m", ByteView(whole).first(size));
  EXPECT_THAT(read_module("m", whole)->needs, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace vtax::lab
