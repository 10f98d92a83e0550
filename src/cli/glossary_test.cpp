#include "cli/glossary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace vtax {
namespace {

using testing::ElementsAre;

TEST(Glossary, RowsArePlainText) {
  const auto rows = parse_glossary(
      "# Words\n\n| word | meaning |\n|---|---|\n| tap, vif | `a` and [b](c.md), d |\n\ntext\n\n"
      "| layer | meaning |\n|---|---|\n| kernel | k |\n");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].word, "tap");
  EXPECT_EQ(rows[1].word, "vif");
  EXPECT_EQ(rows[1].meaning, "a and b, d");
  EXPECT_FALSE(rows[1].is_layer);
  EXPECT_EQ(rows[2].word, "kernel");
  EXPECT_TRUE(rows[2].is_layer);
}

// `uncharged` and `elsewhere` are among vtax's own words.
TEST(Glossary, HasEveryLayer) {
  std::vector<std::string> layers;
  for (const GlossaryRow& row : glossary())
    if (row.is_layer) layers.push_back(row.word);
  EXPECT_THAT(layers, ElementsAre("hypervisor", "driver", "kernel", "program", "idle"));
  for (const char* word : {"uncharged", "elsewhere", "cell", "digest"})
    EXPECT_TRUE(std::any_of(glossary().begin(), glossary().end(), [&](const auto& row) {
      return row.word == word;
    })) << word;
}

}  // namespace
}  // namespace vtax
