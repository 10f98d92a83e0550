#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <set>

#include "core/noise_for_test.h"
#include "tests/fuzz/target.h"

namespace vtax::fuzz {
namespace {

constexpr std::size_t kLongest = 1U << 20U;

// One change of bytes: a bit, a byte, a number at a limit, a piece moved, put in, cut out, or all that
// follows.
void damage(std::string& bytes, std::mt19937_64& random) {
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  // What stands first decides how the rest is read.
  const std::size_t at = below(below(3) == 0 ? std::min<std::size_t>(bytes.size(), 256) : bytes.size());
  switch (below(7)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
      break;
    case 1:
      bytes[at] = static_cast<char>(random());
      break;
    case 2: {
      constexpr std::uint64_t kLimits[] = {0,          1,          0xff,      0xffff,      0x7fffffff,
                                           0x80000000, 0xffffffff, INT64_MAX, 1ULL << 63U, UINT64_MAX};
      const std::uint64_t value = kLimits[below(std::size(kLimits))];
      std::memcpy(bytes.data() + at, &value, std::min(std::size_t{1} << below(4), bytes.size() - at));
      break;
    }
    case 3: {
      const std::size_t from = below(bytes.size());
      const std::size_t size = std::min({below(64), bytes.size() - from, bytes.size() - at});
      std::memmove(bytes.data() + at, bytes.data() + from, size);
      break;
    }
    case 4:
      if (bytes.size() < kLongest) bytes.insert(at, below(16), static_cast<char>(random()));
      break;
    case 5:
      bytes.erase(at, below(16));
      break;
    default:
      if (below(4) == 0) bytes.resize(at);
  }
}

}  // namespace

std::string input_of(const Target& target, const std::vector<std::string>& seeds, std::uint64_t seed,
                     std::uint64_t number) {
  std::seed_seq sequence{static_cast<std::uint64_t>(std::hash<std::string_view>()(target.name)), seed,
                         number};
  std::mt19937_64 random(sequence);
  std::string input = seeds[random() % seeds.size()];
  if (target.is_text && random() % 4 != 0) return with_noise(std::move(input), random);
  for (std::size_t changes = 1 + random() % (random() % 4 == 0 ? 32 : 3); changes > 0 && !input.empty();
       --changes)
    damage(input, random);
  return input;
}

const std::filesystem::path& work_folder() {
  struct Folder {
    Folder() {
      std::string pattern =
          std::filesystem::is_directory("/dev/shm") ? "/dev/shm/vtax-fuzz-XXXXXX" : "/tmp/vtax-fuzz-XXXXXX";
      require(::mkdtemp(pattern.data()) != nullptr, "a folder can be made");
      path = pattern;
    }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path path;
  };
  static const Folder folder;
  return folder.path;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> toml_files(const std::filesystem::path& folder) {
  std::set<std::filesystem::path> names;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".toml") names.insert(file.path());
  std::vector<std::string> all;
  for (const auto& name : names) all.push_back(content_of(name));
  return all;
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "did not hold: %s\n", what);
  std::abort();
}

}  // namespace vtax::fuzz
