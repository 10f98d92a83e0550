#include "profile/process_images.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/auxv.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "account/address_map.h"
#include "core/files.h"
#include "core/readable.h"

namespace vtax::profile {
namespace {

constexpr std::uint64_t kLargestImage = std::uint64_t{256} << 20;

// The kernel maps the same one into every program.
ImageSymbols own_vdso() {
  const unsigned long at = getauxval(AT_SYSINFO_EHDR);
  constexpr std::size_t kSize = 4096;  // it has one page at least, and says itself how much more
  if (at == 0) return {};
  const auto* begin = reinterpret_cast<const std::uint8_t*>(at);
  Elf64_Ehdr header;
  std::memcpy(&header, begin, sizeof header);
  const std::uint64_t whole = header.e_shoff + std::uint64_t{header.e_shnum} * header.e_shentsize;
  return ImageSymbols(ByteView(begin, std::max<std::uint64_t>(kSize, whole)));
}

std::string short_name(const std::string& file) {
  if (file.empty() || file.starts_with("//anon") || file.starts_with("[anon")) return "[anonymous]";
  const std::string_view path(file);
  return printable(path.substr(path.starts_with('/') ? path.rfind('/') + 1 : 0), 200);
}

bool is_of_a_file(const Mapped& mapped) {
  return mapped.file.starts_with('/') && !mapped.file.starts_with("//") &&
         !mapped.file.starts_with("/memfd:") && !mapped.file.starts_with("/dev/zero");
}

template <class T>
bool take_number(std::string_view& text, T& number, int base, char behind) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || used >= text.size() || text[used] != behind) return false;
  text.remove_prefix(used + 1);
  return true;
}

}  // namespace

std::vector<Mapped> parse_maps(int process, std::string_view text) {
  std::vector<Mapped> all;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    Mapped one;
    one.process = process;
    std::uint64_t end = 0, major = 0, minor = 0;
    if (!take_number(line, one.begin, 16, '-') || !take_number(line, end, 16, ' ') || line.size() < 5)
      continue;
    const bool is_code = line[2] == 'x';
    line.remove_prefix(5);
    if (!is_code || end <= one.begin || !take_number(line, one.file_offset, 16, ' ') ||
        !take_number(line, major, 16, ':') || !take_number(line, minor, 16, ' '))
      continue;
    one.device = major << 32U | minor;
    one.size = end - one.begin;
    const std::string_view inode = line.substr(0, line.find(' '));
    std::from_chars(inode.data(), inode.data() + inode.size(), one.inode);
    line.remove_prefix(inode.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    one.file = line;
    all.push_back(std::move(one));
  }
  return all;
}

void ProcessImages::take(const Mapped& mapped) {
  auto& mappings = process_of(mapped.process).mappings;
  // What was there before is not there any more.
  auto from = mappings.lower_bound(mapped.begin);
  if (from != mappings.begin()) {
    const auto before = std::prev(from);
    if (before->second.begin + before->second.size > mapped.begin) from = before;
  }
  while (from != mappings.end() && from->second.begin < mapped.begin + mapped.size)
    from = mappings.erase(from);
  mappings[mapped.begin] = mapped;
}

void ProcessImages::take(const Named& named) {
  if (named.thread != named.process) return;
  Process& process = processes_[named.process];
  process.name = printable(named.name, 64);
  if (!named.began_program) return;
  process.mappings.clear();
  run_time_code_.forget(named.process);
}

void ProcessImages::take(const Forked& forked) {
  if (forked.process == forked.parent) return;  // a thread
  parents_[forked.process] = forked.parent;
  // A copy before the insertion, which may move the original.
  Process same = process_of(forked.parent);
  processes_[forked.process] = std::move(same);
}

ProcessImages::Process& ProcessImages::process_of(int number) {
  const auto known = processes_.find(number);
  if (known != processes_.end()) return known->second;
  Process& process = processes_[number];
  read_maps(number, process);
  if (const auto text = read_text(fmt::format("/proc/{}/comm", number), 256))
    process.name = printable(text->substr(0, text->find('\n')), 64);
  return process;
}

void ProcessImages::read_maps(int number, Process& process) {
  process.maps_read = std::chrono::steady_clock::now();
  const auto text = read_text(fmt::format("/proc/{}/maps", number));
  if (!text || text->empty()) return;
  process.mappings.clear();
  for (Mapped& one : parse_maps(number, *text)) process.mappings[one.begin] = std::move(one);
}

std::string ProcessImages::name_of(int process) {
  if (process == 0) return "idle";
  const std::string& name = process_of(process).name;
  return name.empty() ? "unknown" : name;
}

ImageSymbols& ProcessImages::symbols_of(int process, const Mapped& mapped) {
  if (mapped.file == "[vdso]") {
    if (!vdso_) vdso_ = std::make_unique<ImageSymbols>(own_vdso());
    return *vdso_;
  }
  auto& symbols = files_[{mapped.device, mapped.inode}];
  if (symbols) return *symbols;
  symbols = std::make_unique<ImageSymbols>();
  if (!mapped.file.starts_with('/') || mapped.file.starts_with("//")) return *symbols;
  auto file = read_file(
      fmt::format("/proc/{}/map_files/{:x}-{:x}", process, mapped.begin, mapped.begin + mapped.size),
      kLargestImage);
  // The path is what it is now: another file may be there, but none outside of the process's own root.
  if (!file) file = read_file(fmt::format("/proc/{}/root{}", process, mapped.file), kLargestImage);
  if (!file) {
    unread_.insert(short_name(mapped.file));
    return *symbols;
  }
  *symbols = ImageSymbols(*file);
  if (symbols->is_stripped())
    if (const auto apart = read_symbols_apart(process, symbols->build_id()); !apart.empty())
      *symbols = ImageSymbols(*file, apart);
  if (!symbols->build_id().empty()) build_ids_[short_name(mapped.file)] = symbols->build_id();
  return *symbols;
}

// Where distributions put them, of packages like libc6-dbg.
std::vector<std::uint8_t> ProcessImages::read_symbols_apart(int process, const std::string& build_id) {
  constexpr std::size_t kFolderDigits = 2;
  if (build_id.size() <= kFolderDigits) return {};
  auto file = read_file(fmt::format("/proc/{}/root/usr/lib/debug/.build-id/{}/{}.debug", process,
                                    build_id.substr(0, kFolderDigits), build_id.substr(kFolderDigits)),
                        kLargestImage);
  return file ? std::move(*file) : std::vector<std::uint8_t>();
}

const Mapped* ProcessImages::mapping_at(const Process& process, std::uint64_t address) {
  const auto next = process.mappings.upper_bound(address);
  if (next == process.mappings.begin()) return nullptr;
  const Mapped& mapped = std::prev(next)->second;
  return address - mapped.begin < mapped.size ? &mapped : nullptr;
}

Function ProcessImages::at(int number, std::uint64_t address) {
  Process& process = process_of(number);
  const Mapped* found = mapping_at(process, address);
  // The kernel does not tell of code that mprotect(2) made.
  constexpr std::chrono::seconds kBetweenReads{1};
  if (found == nullptr && std::chrono::steady_clock::now() - process.maps_read > kBetweenReads) {
    read_maps(number, process);
    found = mapping_at(process, address);
  }
  if (found == nullptr || !is_of_a_file(*found))
    if (const auto told = run_time_code_.at(number, address); !told.empty())
      return {kRunTimeImage, std::string(told)};
  if (found == nullptr) return {"[no image]", std::string(kUnknownFunction)};
  const Mapped& mapped = *found;
  const std::string_view name = symbols_of(number, mapped).at(address - mapped.begin + mapped.file_offset);
  return {short_name(mapped.file), std::string(name.empty() ? kUnknownFunction : name)};
}

}  // namespace vtax::profile
