// A program that makes a function while it runs, a loop of as many rounds as it is told, and names it as
// perf(1) reads names (program_test.cpp). As with those that compile in threads of their own, it lies
// elsewhere in each process.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

int main(int count, char** arguments) {
  const auto rounds = static_cast<std::uint32_t>(count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 0);
  // mov ecx, rounds; again: dec ecx; jnz again; ret
  unsigned char code[] = {0xb9, 0, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xc3};
  std::memcpy(code + 1, &rounds, sizeof rounds);
  const auto place = std::uintptr_t{0x10'0000'0000} + (static_cast<std::uintptr_t>(getpid()) << 16);
  void* const made = mmap(reinterpret_cast<void*>(place), sizeof code, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (made == MAP_FAILED || rounds == 0) return 1;
  std::memcpy(made, code, sizeof code);
  std::ofstream("/tmp/perf-" + std::to_string(getpid()) + ".map")
      << std::hex << reinterpret_cast<std::uintptr_t>(made) << ' ' << sizeof code << " made loop app.js:1\n";
  reinterpret_cast<void (*)()>(made)();
  return 0;
}
