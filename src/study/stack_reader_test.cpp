#include "study/stack_reader.h"

#include <gmock/gmock.h>

namespace vtax {
namespace {

using testing::HasSubstr;

Result<OwnStacks> stacks_in(std::string_view text) {
  const toml::parse_result root = toml::parse(text);
  return read_stacks(root, StudyReader("cannot read the study x"));
}

TEST(StackReader, ReadsWhatAStackIsMadeOf) {
  const auto stacks = stacks_in(
      "[stack.mine]\nbase = \"debian-13\"\nkernel = \"b/bzImage\"\nmodules = \"b\"\nsymbols = "
      "\"b/System.map\"\n"
      "[stack.xen-next]\nxen = \"xen.gz\"\n");
  ASSERT_TRUE(stacks) << stacks.error().text();
  ASSERT_EQ(stacks->size(), 2U);
  const OwnStack& mine = stacks->at("mine");
  EXPECT_EQ(mine, (OwnStack{"debian-13", "", "b/bzImage", "b", "b/System.map"}));
  EXPECT_EQ(stacks->at("xen-next"), (OwnStack{"distribution", "xen.gz", "", "", ""}));
  const std::string deep(300, 'd');  // as a build's folder may be
  const auto far = stacks_in("[stack.far]\nkernel = \"/" + deep + "/bzImage\"\n");
  ASSERT_TRUE(far) << far.error().text();
  EXPECT_EQ(far->at("far").kernel, "/" + deep + "/bzImage");
  EXPECT_TRUE(stacks_in("name = \"x\"")->empty());
}

TEST(StackReader, SaysWhereAStackIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {"stack = \"mine\"", "line 1, column 9: at the top of the file"},
      {"[stack]\nmine = 1", "a stack must be a table"},
      {"[stack.mine]", "names neither 'xen' nor 'kernel'"},
      {"[stack.mine]\nbase = \"debian-13\"", "names neither 'xen' nor 'kernel'"},
      {"[stack.mine]\nkernal = \"x\"", "unknown key 'kernal'"},
      {"[stack.mine]\nkernel = 7", "'kernel' must be text"},
      {"[stack.mine]\nkernel = \"\"", "'kernel' must be text"},
      {"[stack.mine]\nkernel = \"a\\nb\"", "'kernel' must be text"},
      {"[stack.mine]\nxen = \"x\"\nmodules = \"m\"", "has 'modules', but no 'kernel'"},
      {"[stack.mine]\nxen = \"x\"\nsymbols = \"m\"", "has 'symbols', but no 'kernel'"},
      {"[stack.mine]\nxen = \"x\"\nbase = \"debian-9\"",
       "'debian-9' is no base of a stack\n  allowed: distribution, debian-11"},
      {"[stack.debian-15]\nxen = \"x\"", "cannot be called 'debian-15'"},
      {"[stack.distribution]\nxen = \"x\"", "cannot be called 'distribution'"},
      {"[stack.same]\nxen = \"x\"", "cannot be called 'same'"},
      {"[stack.\"a b\"]\nxen = \"x\"", "cannot be called 'a b'"},
      {"[stack.\"../x\"]\nxen = \"x\"", "cannot be called '../x'"}};
  for (const auto& [text, why] : wrong) {
    const auto stacks = stacks_in(text);
    ASSERT_FALSE(stacks) << text;
    EXPECT_THAT(stacks.error().text(), HasSubstr(why));
  }
}

}  // namespace
}  // namespace vtax
