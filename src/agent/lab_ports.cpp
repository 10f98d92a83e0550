#include "agent/lab_ports.h"

#include <fmt/format.h>
#include <sys/io.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <span>
#include <thread>

namespace vtax::agent::lab_ports {
namespace {

constexpr unsigned short kDebugConsole = 0xe9, kWatchdog = 0x443, kFwCfgSelect = 0x510, kFwCfgData = 0x511;

// ib700's shortest time but zero (hw/watchdog/wdt_ib700.c); the sleep outlasts it.
constexpr unsigned char kWatchdogTwoSeconds = 14;
constexpr std::chrono::seconds kSnapshotSleep{3};

// docs/specs/fw_cfg.rst of QEMU: the directory is a count and entries, all big-endian.
constexpr unsigned short kDirectoryKey = 0x19;
constexpr std::size_t kNameBytes = 56;
constexpr std::uint32_t kMostFiles = 1024;
constexpr std::uint32_t kMostFileBytes = 1 << 20;

// Port I/O by strings: in Domain-0 Xen is asked once for many bytes, where it would be asked for each. The C
// library's insb and outsb do not say that they touch memory.
void read_string(unsigned short port, void* into, std::size_t bytes) {
  asm volatile("rep insb" : "+D"(into), "+c"(bytes) : "d"(port) : "memory");
}

void write_string(unsigned short port, const void* from, std::size_t bytes) {
  asm volatile("rep outsb" : "+S"(from), "+c"(bytes) : "d"(port) : "memory");
}

template <class T, std::size_t n>
void read_bytes(std::array<T, n>& into) {
  static_assert(sizeof(T) == 1);
  read_string(kFwCfgData, into.data(), n);
}

std::uint32_t big_endian(std::span<const unsigned char> bytes) {
  std::uint32_t value = 0;
  for (const unsigned char byte : bytes) value = value << 8 | byte;
  return value;
}

struct File {
  std::uint32_t size = 0;
  std::uint16_t key = 0;
};

Result<File> find(std::string_view name) {
  outw(kDirectoryKey, kFwCfgSelect);
  std::array<unsigned char, 4> count{};
  read_bytes(count);
  const std::uint32_t files = big_endian(count);
  for (std::uint32_t i = 0; i < files && files <= kMostFiles; ++i) {
    std::array<unsigned char, 4 + 2 + 2 + kNameBytes> entry{};  // size, key, reserved, name
    read_bytes(entry);
    const std::span bytes(entry);
    const File file{big_endian(bytes.first(4)), static_cast<std::uint16_t>(big_endian(bytes.subspan(4, 2)))};
    const std::string_view its_name(reinterpret_cast<const char*>(entry.data()) + 8, kNameBytes);
    if (its_name.substr(0, name.size() + 1) == std::string(name) + '\0') return file;
  }
  return fail(
      Error{fmt::format("read fw_cfg file {}", name), "the machine has none", "", ExitCode::trial_failed});
}

}  // namespace

Result<> open() {
  for (const auto& [first, count] :
       {std::pair<unsigned long, unsigned long>{kDebugConsole, 1}, {kWatchdog, 1}, {kFwCfgSelect, 2}}) {
    if (ioperm(first, count, 1) != 0)
      return fail(system_error(fmt::format("cannot use port {:#x}", first), errno));
  }
  return {};
}

void close() {
  constexpr unsigned long kAllPorts = 65536;
  static_cast<void>(ioperm(0, kAllPorts, 0));  // cannot fail: giving up is always allowed
}

void write(std::string_view text) {
  // What is not in memory yet comes in by a fault of its own, outside of Xen's emulation.
  const std::string here(text);
  write_string(kDebugConsole, here.data(), here.size());
}

void sleep_through_snapshot() {
  outb(kWatchdogTwoSeconds, kWatchdog);
  std::this_thread::sleep_for(kSnapshotSleep);
}

Result<std::string> read_file(std::string_view name) {
  const Result<File> file = find(name);
  if (!file) return fail(file.error());
  outw(file->key, kFwCfgSelect);
  constexpr std::size_t kPadding = 32;  // this many spaces at a stretch are not part of any plan
  std::string text;
  const std::size_t size = std::min(file->size, kMostFileBytes);
  while (text.size() < size && !text.ends_with(std::string(kPadding, ' '))) {
    std::array<char, 256> block{};
    read_bytes(block);
    text.append(block.data(), std::min(block.size(), size - text.size()));
  }
  text.resize(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace vtax::agent::lab_ports
