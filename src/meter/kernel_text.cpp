#include "meter/kernel_text.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace vtax::meter {

HeldFile::HeldFile(int folder, const char* name) : fd_(openat(folder, name, O_RDONLY | O_CLOEXEC)) {}

std::optional<std::string_view> HeldFile::read(std::string& buffer, std::size_t most) const {
  if (!fd_.valid()) return std::nullopt;
  if (buffer.size() < 4096) buffer.resize(4096);
  // The kernel gives whole lines, a page of them at a time: so short an answer is the last.
  constexpr ssize_t kSurelyLast = 512;
  std::size_t size = 0;
  while (true) {
    const ssize_t got =
        pread(fd_.get(), buffer.data() + size, buffer.size() - size, static_cast<off_t>(size));
    if (got < 0) return std::nullopt;
    size += static_cast<std::size_t>(got);
    if (got < kSurelyLast && size < buffer.size()) return std::string_view(buffer.data(), size);
    if (size >= most) return std::string_view(buffer.data(), most);
    if (size == buffer.size()) buffer.resize(buffer.size() * 2);
  }
}

std::optional<std::string_view> read_once(int folder, const char* name, std::string& buffer,
                                          std::size_t most) {
  return HeldFile(folder, name).read(buffer, most);
}

std::optional<std::uint64_t> value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    Words line(text.substr(0, text.find('\n')));
    if (line.next() == key) return whole_number<std::uint64_t>(line.next());
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return std::nullopt;
}

// By the system call: a stream would be made and freed for each of a thousand folders.
std::vector<int> numbers_in_folder(int folder) {
  std::vector<int> numbers;
  if (folder < 0 || lseek(folder, 0, SEEK_SET) != 0) return numbers;
  struct Entry {
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t bytes;
    std::uint8_t type;
  };
  constexpr std::size_t kNameAt = 19;
  static_assert(offsetof(Entry, type) + 1 == kNameAt);
  std::array<char, 16384> buffer;
  while (true) {
    const long got = syscall(SYS_getdents64, folder, buffer.data(), buffer.size());
    if (got <= 0) return numbers;
    for (std::size_t at = 0; at + kNameAt < static_cast<std::size_t>(got);) {
      Entry entry;
      std::memcpy(&entry, buffer.data() + at, sizeof entry);
      if (entry.bytes < kNameAt) return numbers;
      if (const auto number = whole_number<int>(buffer.data() + at + kNameAt)) numbers.push_back(*number);
      at += entry.bytes;
    }
    // /proc fills what it is given: so little is all.
    if (got < static_cast<long>(buffer.size() / 4)) return numbers;
  }
}

}  // namespace vtax::meter
