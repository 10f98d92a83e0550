#pragma once

#include <cstdint>
#include <vector>

namespace vtax {

// Counts of durations, in buckets that are linear within each power of two (the layout of HdrHistogram, G.
// Tene): a value is kept to one part in 128 (0.8 %) or better, from 1 ns to 2^44 ns (about 5 hours), in
// constant space. Recording is a few instructions and never allocates.
class Histogram {
 public:
  static constexpr int kPrecisionBits = 7;  // 128 buckets for each power of two
  static constexpr int kMostBits = 44;
  static constexpr std::uint64_t kMost = (std::uint64_t{1} << kMostBits) - 1;  // larger values count as this

  Histogram();

  void record(std::uint64_t value) { record(value, 1); }
  void record(std::uint64_t value, std::uint64_t times);
  void add(const Histogram& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint64_t minimum() const { return count_ == 0 ? 0 : minimum_; }
  [[nodiscard]] std::uint64_t maximum() const { return maximum_; }
  [[nodiscard]] double mean() const;

  // The smallest recorded value (its bucket's upper end, at most the maximum) below or at which `share` of
  // all values lie; 0 <= share <= 1; 0 when empty.
  [[nodiscard]] std::uint64_t quantile(double share) const;

  // Buckets that hold something, in order: for the record and for plots.
  struct Bucket {
    std::uint64_t low = 0, high = 0;  // both inclusive
    std::uint64_t count = 0;
  };
  [[nodiscard]] std::vector<Bucket> buckets() const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0, minimum_ = ~std::uint64_t{0}, maximum_ = 0;
  double sum_ = 0;
};

}  // namespace vtax
