#include "workload/orders/program_starter.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

#include "workload/orders/program_files.h"

namespace vtax {
namespace {

constexpr std::size_t kHeadBytes = 4096;

template <class T>
std::optional<T> at(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

std::string starter_of(std::string_view head) {
  if (head.starts_with("#!")) {
    std::string_view line = head.substr(2, head.find('\n') - 2);
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \t")));
    return std::string(line.substr(0, line.find_first_of(" \t\r")));
  }
  const auto header = at<Elf64_Ehdr>(head, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64)
    return "";
  for (std::uint64_t i = 0; i < header->e_phnum && header->e_phoff < kHeadBytes; ++i) {
    const auto segment = at<Elf64_Phdr>(head, header->e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment || segment->p_type != PT_INTERP) continue;
    if (segment->p_offset > head.size() || head.size() - segment->p_offset < segment->p_filesz) return "";
    const std::string_view name = head.substr(segment->p_offset, segment->p_filesz);
    return std::string(name.substr(0, name.find('\0')));
  }
  return "";
}

std::string missing_starter(const std::string& program) {
  const Descriptor file = open_program_file(program, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  char head[kHeadBytes];
  const ssize_t size = file.valid() ? pread(file.get(), head, sizeof head, 0) : -1;
  if (size <= 0) return "";
  std::string starter = starter_of({head, static_cast<std::size_t>(size)});
  if (!starter.starts_with('/') || open_program_file(starter, O_PATH).valid()) return "";
  return errno == ENOENT ? starter
                         : "";  // another error may pass: EAGAIN beside any rename of this computer's
}

}  // namespace vtax
