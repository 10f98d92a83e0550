#include "machine/parts/stack_sources.h"

#include <gmock/gmock.h>

#include "core/files.h"
#include "machine/parts/elf_for_test.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;

TEST(StackSources, OfAReleaseAreThatReleasesWithTheFilesOfTheCommandLine) {
  Sources given;
  given.kernel = "bzImage";
  const auto own = sources_of_stack("distribution", given, {});
  ASSERT_TRUE(own);
  EXPECT_EQ(own->release, "");
  const auto other = sources_of_stack("debian-13", given, {});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->release, "debian-13");
  EXPECT_EQ(other->kernel, "bzImage");
}

TEST(StackSources, OfAStackOfOnesOwnAreItsFilesOverItsBase) {
  const OwnStacks stacks{{"mine", {"debian-13", "", "bzImage", "build", "System.map"}},
                         {"xen-only", {"distribution", "xen.gz", "", "", ""}}};
  const auto mine = sources_of_stack("mine", {}, stacks);
  ASSERT_TRUE(mine);
  EXPECT_EQ(mine->release, "debian-13");
  EXPECT_EQ(mine->kernel, "bzImage");
  EXPECT_EQ(mine->modules, "build");
  EXPECT_EQ(mine->symbols, "System.map");
  EXPECT_FALSE(mine->xen);
  const auto xen = sources_of_stack("xen-only", {}, stacks);
  ASSERT_TRUE(xen);
  EXPECT_EQ(xen->release, "");
  EXPECT_EQ(xen->xen, "xen.gz");
}

TEST(StackSources, OfGuestsWithAKernelOfTheirOwnAreTwo) {
  const OwnStacks stacks{{"mine", {"debian-13", "", "bzImage", "build", "System.map"}}};
  const auto apart = sources_of_machine({"debian-12", "mine"}, {}, stacks);
  ASSERT_TRUE(apart) << apart.error().text();
  EXPECT_EQ(apart->release, "debian-12");
  EXPECT_FALSE(apart->kernel);
  ASSERT_TRUE(apart->guest);
  EXPECT_EQ(apart->guest->kernel, "bzImage");
  EXPECT_EQ(apart->guest->modules, "build");
  EXPECT_EQ(apart->guest->symbols, "System.map");
  EXPECT_EQ(apart->guest->release, "debian-13");
  EXPECT_FALSE(sources_of_machine({"debian-12", "same"}, {}, {})->guest);
  EXPECT_FALSE(sources_of_machine({"debian-12", "debian-12"}, {}, {})->guest);
  EXPECT_FALSE(sources_of_machine({"debian-12", "nobody"}, {}, stacks));
}

TEST(StackSources, ThatAreNotToBeHadAreRefusedByName) {
  const auto unknown = sources_of_stack("other", {}, {{"mine", {}}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ExitCode::usage);
  EXPECT_THAT(unknown.error().text(), HasSubstr("'other'"));
  EXPECT_THAT(unknown.error().next, HasSubstr("debian-13"));
  EXPECT_THAT(unknown.error().next, HasSubstr("mine"));
  Sources given;
  given.xen = "xen.gz";
  const auto both = sources_of_stack("mine", given, {{"mine", {}}});
  ASSERT_FALSE(both);
  EXPECT_THAT(both.error().text(), HasSubstr("--xen"));
}

// As a cloud's kernel has it, whose cards are its cloud's.
TEST(StackSources, KernelWithoutTheLabsCardServesTrialsWithoutCards) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "vtax-cardless";
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(write_file(folder / "veth.ko", module_for_test("")));
  const OwnStacks stacks{{"cloud", {"distribution", "", "bzImage", folder.string(), ""}}};
  const UsedCards cloud{{"cloud"}};
  const auto refused = check_cards(cloud, {}, stacks);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExitCode::usage);
  EXPECT_THAT(refused.error().why, HasSubstr("e1000e, virtio_net"));
  EXPECT_THAT(refused.error().next, HasSubstr("topology=inside"));
  EXPECT_TRUE(check_cards({}, {}, stacks));
  EXPECT_TRUE(check_cards({{"distribution"}}, {}, stacks));
  const auto card = [&folder] {
    const LabCard* found = card_for(ModuleTree::open(folder).value());
    return found == nullptr ? "none" : std::string(found->device);
  };
  ASSERT_TRUE(write_file(folder / "virtio_net.ko", module_for_test("")));
  EXPECT_EQ(card(), "none");  // on no bus of the machine's
  ASSERT_TRUE(write_file(folder / "virtio_pci.ko", module_for_test("")));
  EXPECT_EQ(card(), "virtio-net-pci");
  EXPECT_TRUE(check_cards(cloud, {}, stacks));
  const UsedCards of_driver_domains{{"cloud"}, {"cloud"}};
  const auto undriven = check_cards(of_driver_domains, {}, stacks);
  ASSERT_FALSE(undriven);
  EXPECT_THAT(undriven.error().why, HasSubstr("one of e1000e, and"));
  ASSERT_TRUE(write_file(folder / "e1000e.ko", module_for_test("")));
  EXPECT_EQ(card(), "e1000e");
  EXPECT_TRUE(check_cards(cloud, {}, stacks));
  EXPECT_TRUE(check_cards(of_driver_domains, {}, stacks));
  std::filesystem::remove_all(folder);
}

TEST(StackSources, ToolstackOfAReleaseIsItsOwn) {
  Sources sources;
  sources.release = "debian-13";
  EXPECT_EQ(toolstack_of(sources).value_or("?"), "debian-13");
  const auto file = std::filesystem::path(testing::TempDir()) / "vtax-no-xen.gz";
  ASSERT_TRUE(write_text(file, ""));
  sources.xen = file;
  const auto no_xen = toolstack_of(sources);
  ASSERT_FALSE(no_xen);
  EXPECT_THAT(no_xen.error().text(), HasSubstr("an empty file"));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace vtax::lab
