#include "core/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace vtax {
namespace {

constexpr std::uint64_t kPerPower = std::uint64_t{1} << Histogram::kPrecisionBits;

// Below `per_power` each value has a bucket of its own; above, the leading precision_bits + 1 bits select it.
std::size_t bucket_of(std::uint64_t value) {
  if (value < kPerPower) return value;
  const auto shift = static_cast<std::uint64_t>(std::bit_width(value)) - 1 - Histogram::kPrecisionBits;
  return static_cast<std::size_t>(shift * kPerPower + (value >> shift));
}

std::uint64_t low_of(std::size_t bucket) {
  if (bucket < kPerPower) return bucket;
  const std::size_t shift = bucket / kPerPower - 1;
  return (bucket - shift * kPerPower) << shift;
}

std::uint64_t high_of(std::size_t bucket) {
  return low_of(bucket + 1) - 1;
}

}  // namespace

Histogram::Histogram() : counts_(bucket_of(kMost) + 1) {}

void Histogram::record(std::uint64_t value, std::uint64_t times) {
  if (times == 0) return;
  value = std::min(value, kMost);
  counts_[bucket_of(value)] += times;
  count_ += times;
  sum_ += static_cast<double>(value) * static_cast<double>(times);
  minimum_ = std::min(minimum_, value);
  maximum_ = std::max(maximum_, value);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  minimum_ = std::min(minimum_, other.minimum_);
  maximum_ = std::max(maximum_, other.maximum_);
}

void Histogram::clear() {
  *this = Histogram();
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::quantile(double share) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(high_of(i), maximum_);
  }
  return maximum_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> out;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] != 0) out.push_back({low_of(i), high_of(i), counts_[i]});
  }
  return out;
}

}  // namespace vtax
