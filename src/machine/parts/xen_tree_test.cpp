#include "machine/parts/xen_tree.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "core/files.h"
#include "machine/parts/package_cache.h"
#include "machine/parts/shared_libraries.h"
#include "machine/parts/stack_sources.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;

class XenTrees : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::path(testing::TempDir()) / "vtax-tree-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    fs::create_directories(root_ / "boot");
  }
  void TearDown() override { fs::remove_all(root_); }

  // As 'make dist' lays files out that a release's packages hold.
  void add_toolstack_of(const FetchedSet& set) {
    for (const char* folder : {"sbin", "lib/xen/bin", "lib"}) fs::create_directories(local() / folder);
    for (const auto& entry : fs::recursive_directory_iterator(set.root / "usr/lib")) {
      const std::string name = entry.path().filename().string();
      if (!entry.is_regular_file()) continue;
      if (name == "xl" || name == "xenstored" || name == "xenconsoled")
        fs::create_symlink(entry.path(), local() / "sbin" / name);
      if (name == "xen-init-dom0" || name == "libxl-save-helper")
        fs::create_symlink(entry.path(), local() / "lib/xen/bin" / name);
      if ((name.starts_with("libxen") || name.starts_with("libxl")) && name.find(".so.") != std::string::npos)
        fs::create_symlink(entry.path(), local() / "lib" / name);
    }
  }
  void add_hypervisor_of(const FetchedSet& set) const {
    for (const auto& entry : fs::directory_iterator(set.root / "boot"))
      if (entry.path().extension() == ".gz") fs::create_symlink(entry.path(), root_ / "boot/xen.gz");
  }

  [[nodiscard]] fs::path local() const { return root_ / "usr/local"; }
  [[nodiscard]] std::string refusal() const {
    const auto tree = XenTree::open(root_);
    return tree ? "" : tree.error().text();
  }

  fs::path root_;
};

TEST_F(XenTrees, AFileIsAHypervisorWithoutToolstack) {
  const auto tree = XenTree::open("somewhere/xen.gz");
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->hypervisor, "somewhere/xen.gz");
  EXPECT_FALSE(tree->has_toolstack());
}

TEST_F(XenTrees, HypervisorIsTheOneThatIsThereOrThatTheBuildNamesNewest) {
  EXPECT_THAT(refusal(), HasSubstr("neither boot/xen.gz nor another"));
  ASSERT_TRUE(write_text(root_ / "boot/xen-4.20.4.gz", "x"));
  fs::create_symlink("xen-4.20.4.gz", root_ / "boot/xen-4.20.gz");
  EXPECT_EQ(XenTree::open(root_)->hypervisor, root_ / "boot/xen-4.20.4.gz");
  ASSERT_TRUE(write_text(root_ / "boot/xen-4.19.1.gz", "x"));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("xen-4.19.1.gz"), HasSubstr("xen-4.20.4.gz")));
  fs::create_symlink("xen-4.20.4.gz", root_ / "boot/xen.gz");
  EXPECT_EQ(XenTree::open(root_)->hypervisor, root_ / "boot/xen.gz");
  EXPECT_FALSE(XenTree::open(root_)->has_toolstack());
}

TEST_F(XenTrees, PartOfAToolstackIsRefusedWithWhatItLacks) {
  ASSERT_TRUE(write_text(root_ / "boot/xen.gz", "x"));
  fs::create_directories(local() / "sbin");
  fs::create_symlink(fs::canonical("/bin/sh"), local() / "sbin/xl");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("lacks xenstored, xenconsoled"), Not(HasSubstr("lacks xl"))));
  fs::create_directories(root_ / "usr/sbin");
  fs::create_symlink(fs::canonical("/bin/sh"), root_ / "usr/sbin/xl");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("two programs xl"), HasSubstr("usr/local/sbin/xl")));
}

TEST_F(XenTrees, OfOneVersionIsTakenWithItsLibrariesAndAnotherRefusedWithBoth) {
  const auto cache = PackageCache::open();
  const auto own = cache ? cache->find(PackageSet::xen) : std::nullopt;
  if (!own) GTEST_SKIP() << "the cache holds no Xen: run vtax lab fetch";
  add_toolstack_of(*own);
  add_hypervisor_of(*own);
  const auto tree = XenTree::open(root_);
  ASSERT_TRUE(tree) << tree.error().text();
  const auto files = toolstack_files(*tree, own->root);
  ASSERT_TRUE(files) << files.error().text();
  EXPECT_EQ(files->at("usr/lib/xen-own/bin/xl"), local() / "sbin/xl");
  EXPECT_EQ(files->at("usr/lib/x86_64-linux-gnu/libxenlight.so." + tree->version),
            local() / "lib" / ("libxenlight.so." + tree->version));
  EXPECT_THAT(*files, Contains(Key("lib64/ld-linux-x86-64.so.2")));
  EXPECT_THAT(*files, Contains(Key("usr/lib/x86_64-linux-gnu/libgcc_s.so.1")));

  // Another build's would speak to another hypervisor.
  auto less = *tree;
  less.libraries.erase("libxenlight.so." + tree->version);
  const auto refused = toolstack_files(less, own->root);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().why, HasSubstr("libxenlight.so." + tree->version));

  const auto other = cache->find("debian-13.xen");
  if (!other || tree->version == "4.20") GTEST_SKIP() << "no other Xen is in the cache: --stack debian-13";
  fs::remove(root_ / "boot/xen.gz");
  add_hypervisor_of(*other);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("xen.gz is Xen 4.20"), HasSubstr("is Xen " + tree->version + "'s")));
  Sources sources;
  sources.xen = root_;
  const auto checked = check_sources({PlatformId::xen_pv}, sources);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ExitCode::usage);
}

TEST_F(XenTrees, LibraryThatIsTooOldForAProgramIsNamedWithIt) {
  const std::vector<fs::path> programs{"/bin/sh"};
  auto libraries = library_closure(programs, "/");
  ASSERT_TRUE(libraries);
  EXPECT_THAT(*unmet_versions(programs, libraries->found), testing::IsEmpty());
  // It has versions of that name, but not all.
  const fs::path mathematics = libraries->found.at("libc.so.6").parent_path() / "libm.so.6";
  libraries->found["libc.so.6"] = mathematics;
  const auto unmet = unmet_versions(programs, libraries->found);
  ASSERT_TRUE(unmet);
  ASSERT_FALSE(unmet->empty());
  EXPECT_THAT(unmet->front(), AllOf(HasSubstr("/bin/sh was linked with GLIBC_"), HasSubstr("libm.so.6")));
}

}  // namespace
}  // namespace vtax::lab
