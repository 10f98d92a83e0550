#include "agent/lab_ports.h"

#include <fmt/format.h>
#include <sys/io.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>

namespace vtax::agent::lab_ports {
namespace {

constexpr unsigned short debug_console = 0xe9, watchdog = 0x443, fw_cfg_select = 0x510, fw_cfg_data = 0x511;

// ib700's shortest time but zero (hw/watchdog/wdt_ib700.c); the sleep outlasts it.
constexpr unsigned char watchdog_two_seconds = 14;
constexpr std::chrono::seconds snapshot_sleep{3};

// docs/specs/fw_cfg.rst of QEMU: the directory is a count and entries, all big-endian.
constexpr unsigned short directory_key = 0x19;
constexpr std::size_t name_bytes = 56;
constexpr std::uint32_t most_files = 1024;
constexpr std::uint32_t most_file_bytes = 1 << 20;

std::uint32_t read_big_endian(int bytes) {
  std::uint32_t value = 0;
  while (bytes-- > 0) value = value << 8 | inb(fw_cfg_data);
  return value;
}

struct File {
  std::uint32_t size = 0;
  std::uint16_t key = 0;
};

Result<File> find(std::string_view name) {
  outw(directory_key, fw_cfg_select);
  const std::uint32_t files = read_big_endian(4);
  for (std::uint32_t i = 0; i < files && files <= most_files; ++i) {
    const File file{read_big_endian(4), static_cast<std::uint16_t>(read_big_endian(2))};
    read_big_endian(2);  // reserved
    std::array<char, name_bytes> entry{};
    for (char& c : entry) c = static_cast<char>(inb(fw_cfg_data));
    if (std::string_view(entry.data(), name_bytes).substr(0, name.size() + 1) == std::string(name) + '\0')
      return file;
  }
  return fail(
      Error{fmt::format("read fw_cfg file {}", name), "the machine has none", "", ExitCode::trial_failed});
}

}  // namespace

Result<> open() {
  for (const auto& [first, count] :
       {std::pair<unsigned long, unsigned long>{debug_console, 1}, {watchdog, 1}, {fw_cfg_select, 2}}) {
    if (ioperm(first, count, 1) != 0)
      return fail(system_error(fmt::format("cannot use port {:#x}", first), errno));
  }
  return {};
}

void close() {
  constexpr unsigned long all_ports = 65536;
  static_cast<void>(ioperm(0, all_ports, 0));  // cannot fail: giving up is always allowed
}

void write(std::string_view text) {
  for (const char c : text) outb(static_cast<unsigned char>(c), debug_console);
}

void sleep_through_snapshot() {
  outb(watchdog_two_seconds, watchdog);
  std::this_thread::sleep_for(snapshot_sleep);
}

Result<std::string> read_file(std::string_view name) {
  const Result<File> file = find(name);
  if (!file) return fail(file.error());
  outw(file->key, fw_cfg_select);
  constexpr std::size_t padding = 32;  // this many spaces at a stretch are not part of any plan
  std::string text;
  std::size_t spaces = 0;
  while (text.size() < std::min(file->size, most_file_bytes) && spaces < padding) {
    text.push_back(static_cast<char>(inb(fw_cfg_data)));
    spaces = text.back() == ' ' ? spaces + 1 : 0;
  }
  text.resize(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace vtax::agent::lab_ports
