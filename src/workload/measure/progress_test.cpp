#include "workload/measure/progress.h"

#include <gtest/gtest.h>

#include <vector>

namespace vtax {
namespace {

// Where the marks of `total`, done in pieces of `piece`, would be made: the places at which next() moves.
std::vector<std::uint64_t> marks(unsigned wanted, std::uint64_t total, std::uint64_t piece) {
  WindowProgress progress({1, wanted}, total);
  std::vector<std::uint64_t> out;
  for (std::uint64_t done = 0; done < total;) {
    done = std::min(done + piece, total);
    const std::uint64_t before = progress.next();
    progress.at(done, done, 0);
    if (progress.next() != before) out.push_back(done);
  }
  return out;
}

TEST(WindowProgress, MarksEvenlyAndAtTheEnd) {
  EXPECT_EQ(marks(4, 100, 1), (std::vector<std::uint64_t>{25, 50, 75, 100}));
  EXPECT_EQ(marks(3, 100, 1), (std::vector<std::uint64_t>{33, 66, 100}));
  EXPECT_EQ(marks(32, 1ULL << 40, 1ULL << 33).size(), 32U);
}

TEST(WindowProgress, NeverMarksMoreOftenThanThereAreMessages) {
  EXPECT_EQ(marks(32, 100, 40), (std::vector<std::uint64_t>{40, 80, 100}));
  EXPECT_EQ(marks(32, 3, 1), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(marks(32, 100, 100), (std::vector<std::uint64_t>{100}));
}

TEST(WindowProgress, UnaskedItMarksNothing) {
  WindowProgress progress;
  progress.at(~0ULL - 1, 0, 0);
  EXPECT_EQ(progress.next(), ~0ULL);
  EXPECT_TRUE(marks(0, 100, 1).empty());
}

}  // namespace
}  // namespace vtax
