#include "core/shard.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(Shard, IsWrittenAsNumberAndCount) {
  EXPECT_EQ(parse_shard("0/4").value(), (Shard{0, 4}));
  EXPECT_EQ(parse_shard("3/4").value(), (Shard{3, 4}));
  EXPECT_EQ(text_of({3, 4}), "3/4");
  for (const char* wrong :
       {"", "4", "4/4", "1/0", "0/0", "-1/4", "1/4x", "a/4", "1/", "/4", "1 / 4", "1/99999999999999999999"})
    EXPECT_FALSE(parse_shard(wrong)) << wrong;
}

}  // namespace
}  // namespace vtax
