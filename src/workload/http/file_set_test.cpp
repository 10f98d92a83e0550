#include "workload/http/file_set.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "core/files.h"
#include "core/sha256.h"

namespace vtax::http {
namespace {

constexpr std::uint64_t kKB = 1024;

// The dissertation's table 5.1, to the figures that it prints.
TEST(FileSet, HasTheFiguresOfTheTable) {
  for (const std::uint64_t seed : {1ULL, 2ULL, 99ULL}) {
    const Figures figures = FileSet(seed).figures();
    EXPECT_EQ(figures.files, 2196u);
    EXPECT_EQ(figures.bytes >> 20, 297u);  // 297.8 MB, cut off
    EXPECT_NEAR(figures.mean / kKB, 138.87, 0.01);
    EXPECT_NEAR(figures.variation, 1.77, 0.005);
    EXPECT_EQ(figures.first_quartile, 1 * kKB);
    EXPECT_EQ(figures.median, 20 * kKB);
    EXPECT_EQ(figures.third_quartile, 100 * kKB);
    EXPECT_EQ(figures.smallest / kKB, 0u);
    EXPECT_EQ(figures.largest, 900 * kKB);
  }
}

TEST(FileSet, OfSpecweb99DiffersInTheMedianAlone) {
  const Figures ours = FileSet(1).figures(), theirs = FileSet(1, Sizes::specweb99).figures();
  EXPECT_EQ(theirs.median, 10 * kKB);
  EXPECT_EQ(theirs.bytes, ours.bytes);
  EXPECT_NEAR(theirs.variation, 1.77, 0.005);
  EXPECT_EQ(theirs.first_quartile, ours.first_quartile);
  EXPECT_EQ(theirs.third_quartile, ours.third_quartile);
  // Ruan and Pai (USENIX 2006) say roughly 14 KB for one request.
  EXPECT_NEAR(theirs.requested_mean / kKB, 14.4, 0.1);
}

TEST(FileSet, IsRequestedAsSpecweb99Does) {
  const FileSet set(3);
  std::array<double, kClasses> by_class{};
  std::map<std::string, double> by_directory;
  double fifth = 0, all = 0;
  for (const File& file : set.files()) {
    const auto size_class = static_cast<std::size_t>(file.path[file.path.size() - 3] - '0');
    by_class.at(size_class) += file.popularity;
    by_directory[file.path.substr(0, 9)] += file.popularity;
    if (file.path.ends_with("_4")) fifth += file.popularity;
    all += file.popularity;
  }
  EXPECT_NEAR(all, 1, 1e-9);
  EXPECT_NEAR(by_class[0], 0.35, 1e-9);
  EXPECT_NEAR(by_class[1], 0.50, 1e-9);
  EXPECT_NEAR(by_class[2], 0.14, 1e-9);
  EXPECT_NEAR(by_class[3], 0.01, 1e-9);
  EXPECT_NEAR(fifth, 0.353 / 0.999, 1e-9);
  // Zipf: the k-th directory gets 1/k of the first one's requests.
  std::vector<double> shares;
  for (const auto& [name, share] : by_directory) shares.push_back(share);
  std::sort(shares.rbegin(), shares.rend());
  ASSERT_EQ(shares.size(), kDirectories);
  for (std::size_t k = 0; k < shares.size(); ++k)
    EXPECT_NEAR(shares[k] * static_cast<double>(k + 1), shares[0], 1e-9);
}

std::string digest(const FileSet& set) {
  Sha256 hash;
  std::vector<std::uint8_t> content;
  for (std::size_t i = 0; i < set.files().size(); i += 50) {
    content.resize(set.files()[i].size);
    set.fill(i, std::as_writable_bytes(std::span(content)));
    hash.add(set.files()[i].path);
    hash.add(content);
  }
  return hash.hex();
}

TEST(FileSet, IsTheSameFromTheSameSeed) {
  EXPECT_EQ(digest(FileSet(5)), digest(FileSet(5)));
  EXPECT_NE(digest(FileSet(5)), digest(FileSet(6)));
  EXPECT_NE(FileSet(5).files()[0].popularity, FileSet(6).files()[0].popularity);
  // A change of this value is a change of every study's work.
  EXPECT_EQ(digest(FileSet(1)), "152b262d7aa606a107e37838b984408d41732581f2f03416845b67a7ffb59671");
}

TEST(FileSet, FewerDirectoriesHaveTheSameSizesAndTheSameMeanOfARequest) {
  const Figures all = FileSet(1).figures(), few = FileSet(1, Sizes::table, 4).figures();
  EXPECT_EQ(few.files, 4U * kFilesInDirectory);
  EXPECT_NEAR(few.mean, all.mean, 1);
  EXPECT_NEAR(few.requested_mean, all.requested_mean, 1);
  EXPECT_NEAR(few.requested_mean, 14.4 * 1024, 51);
}

}  // namespace
}  // namespace vtax::http
