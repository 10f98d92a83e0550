#include "study/suggest.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(Suggestion, IsNearOrNotMade) {
  const std::vector<std::string_view> options{"--xen", "--out", "--format", "--set"};
  EXPECT_EQ(nearest("--exec", options), "");
  EXPECT_EQ(nearest("--xne", options), "--xen");
  EXPECT_EQ(nearest("--fromat", options), "--format");
  EXPECT_EQ(nearest("--in", options), "");
  EXPECT_EQ(nearest("--", options), "");
  const std::vector<std::string_view> workloads{"tcp-stream", "tcp-rr", "http", "disk", "memory"};
  EXPECT_EQ(nearest("tcp", workloads), "");
  EXPECT_EQ(nearest("htpp", workloads), "http");
  EXPECT_EQ(nearest("memroy", workloads), "memory");
  EXPECT_EQ(nearest("tcp-streem", workloads), "tcp-stream");
  EXPECT_EQ(nearest("", workloads), "");
}

}  // namespace
}  // namespace vtax
