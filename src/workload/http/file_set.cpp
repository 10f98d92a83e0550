#include "workload/http/file_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/files.h"
#include "core/interruption.h"
#include "workload/http/random.h"

namespace vtax::http {
namespace {

// SPECweb99's shares of the classes and of the nine files in each. The latter are Zipf's (alpha 1) over nine
// places, with the fifth file in the first place, its neighbours in the next; to three figures, as published,
// they add up to 0.999.
constexpr std::array<double, kClasses> kClassShare{0.35, 0.50, 0.14, 0.01};
constexpr std::array<double, kFilesInClass> kFileShare{0.039, 0.059, 0.088, 0.177, 0.353,
                                                       0.118, 0.071, 0.050, 0.044};

std::uint64_t size_of(std::uint32_t size_class, std::uint32_t file, Sizes sizes) {
  constexpr std::array<double, kClasses> kStep{102.4, 1024, 10240, 102400};
  std::uint32_t steps = file + 1;
  if (sizes == Sizes::table && size_class == 2) steps = std::clamp(steps, 2U, 8U);
  return static_cast<std::uint64_t>(std::llround(kStep[size_class] * steps));
}

std::vector<std::uint32_t> shuffled(std::uint32_t count, Random random) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace

FileSet::FileSet(std::uint64_t seed, Sizes sizes, std::uint32_t directories_held) : seed_(seed) {
  const std::vector<std::uint32_t> rank = shuffled(directories_held, Random(seed));
  double sum = 0;
  for (std::uint32_t directory = 0; directory < directories_held; ++directory) {
    for (std::uint32_t size_class = 0; size_class < kClasses; ++size_class) {
      for (std::uint32_t file = 0; file < kFilesInClass; ++file) {
        const double weight = kClassShare[size_class] * kFileShare[file] / (rank[directory] + 1);
        files_.push_back({fmt::format("/dir{:05}/class{}_{}", directory, size_class, file),
                          size_of(size_class, file, sizes), weight});
        sum += weight;
      }
    }
  }
  for (File& file : files_) file.popularity /= sum;
}

Figures FileSet::figures() const {
  std::vector<std::uint64_t> sizes;
  Figures out;
  double squares = 0;
  for (const File& file : files_) {
    sizes.push_back(file.size);
    out.bytes += file.size;
    out.requested_mean += file.popularity * static_cast<double>(file.size);
  }
  std::sort(sizes.begin(), sizes.end());
  out.files = sizes.size();
  out.mean = static_cast<double>(out.bytes) / static_cast<double>(out.files);
  for (const std::uint64_t size : sizes)
    squares += (static_cast<double>(size) - out.mean) * (static_cast<double>(size) - out.mean);
  out.variation = std::sqrt(squares / static_cast<double>(out.files)) / out.mean;
  out.smallest = sizes.front();
  out.largest = sizes.back();
  out.first_quartile = sizes[sizes.size() / 4];
  out.median = sizes[sizes.size() / 2];
  out.third_quartile = sizes[sizes.size() * 3 / 4];
  return out;
}

void FileSet::fill(std::size_t index, std::span<std::byte> into) const {
  Random random(Random(seed_ ^ (index + 1) * 0xd1342543de82ef95).next());
  while (!into.empty()) {
    const std::uint64_t word = random.next();
    const std::size_t part = std::min(into.size(), sizeof word);
    std::memcpy(into.data(), &word, part);
    into = into.subspan(part);
  }
}

Result<> FileSet::write(const std::filesystem::path& directory) const {
  std::error_code error;
  if (std::filesystem::exists(directory, error) && !std::filesystem::is_empty(directory, error))
    return fail({"cannot write the file set to " + directory.string(),
                 "it is there and is no empty directory", "name a new directory", ExitCode::io});
  std::vector<std::uint8_t> content;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (interrupted()) return fail(interruption_error());
    const std::filesystem::path file = directory / files_[i].path.substr(1);
    if (i % kFilesInDirectory == 0)
      if (Result<> made = make_directories(file.parent_path()); !made) return made;
    content.resize(files_[i].size);
    fill(i, std::as_writable_bytes(std::span(content)));
    if (Result<> written = write_file(file, content); !written) return written;
  }
  return {};
}

}  // namespace vtax::http
