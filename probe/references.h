#pragma once

// Has the running program call another function in place of one of its own. The function itself stays as it
// is and can still be called; no more is known of it than its address.

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace vtax::probe {

struct Redirection {
  const void* from = nullptr;
  const void* to = nullptr;
  int found =
      0;  // places in the program that name `from`: calls, jumps, addresses taken, addresses in its data
};

namespace references {

struct Part {
  unsigned char* begin = nullptr;
  std::size_t bytes = 0;
};

struct Program {
  Part text, data;
};

// The first object that the loader lists. Its data as the file has it: constants, what the loader filled in.
inline Program program() {
  Program found;
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* into) {
        for (int i = 0; i < object->dlpi_phnum; ++i) {
          const auto& part = object->dlpi_phdr[i];
          if (part.p_type != PT_LOAD) continue;
          auto* const begin = reinterpret_cast<unsigned char*>(object->dlpi_addr + part.p_vaddr);
          if ((part.p_flags & PF_X) != 0) static_cast<Program*>(into)->text = {begin, part.p_memsz};
          if ((part.p_flags & PF_W) != 0) static_cast<Program*>(into)->data = {begin, part.p_filesz};
        }
        return 1;
      },
      &found);
  return found;
}

// `call f`, `jmp f` and `lea f(%rip), register`: the length before the displacement, or 0.
inline int displacement_at(const unsigned char* code) {
  if (code[0] == 0xe8 || code[0] == 0xe9) return 1;
  if ((code[0] & 0xfb) == 0x48 && code[1] == 0x8d && (code[2] & 0xc7) == 0x05) return 3;
  return 0;
}

// A page that 32-bit displacements reach from all of `text`; null when there is none.
inline unsigned char* page_near(const Part& text) {
  constexpr std::uintptr_t kStep = 1U << 20, kReach = 1U << 30;
  const auto begin = reinterpret_cast<std::uintptr_t>(text.begin) & ~(kStep - 1);
  for (std::uintptr_t back = kStep; back < kReach && back < begin; back += kStep) {
    void* const wanted = reinterpret_cast<void*>(begin - back);
    void* const page =
        mmap(wanted, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (page == wanted) return static_cast<unsigned char*>(page);
    if (page != MAP_FAILED) munmap(page, 4096);
  }
  return nullptr;
}

template <class Value>
bool write_protected(unsigned char* place, const Value& value, int protection) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(place) & ~(page - 1);
  const std::size_t bytes = reinterpret_cast<std::uintptr_t>(place) + sizeof value - first;
  if (mprotect(reinterpret_cast<void*>(first), bytes, protection | PROT_WRITE) != 0) return false;
  std::memcpy(place, &value, sizeof value);
  return mprotect(reinterpret_cast<void*>(first), bytes, protection) == 0;
}

inline bool write_displacement(unsigned char* place, std::int64_t displacement) {
  const auto value = static_cast<std::int32_t>(displacement);
  return value == displacement && write_protected(place, value, PROT_READ | PROT_EXEC);
}

}  // namespace references

// Fills in how often each was found; false when the memory for it cannot be had. Before the program has
// threads.
template <std::size_t count>
bool redirect(Redirection (&all)[count]) {
  using namespace references;
  constexpr std::size_t kStub = 16;
  static_assert(count * kStub <= 4096);
  const auto [text, data] = program();
  if (text.begin == nullptr || data.begin == nullptr) return false;
  unsigned char* const stubs = page_near(text);
  if (stubs == nullptr) return false;
  for (std::size_t i = 0; i < count; ++i) {
    constexpr unsigned char kJump[6] = {0xff, 0x25, 0, 0, 0, 0};  // jmp *0(%rip)
    std::memcpy(stubs + i * kStub, kJump, sizeof kJump);
    std::memcpy(stubs + i * kStub + sizeof kJump, &all[i].to, sizeof all[i].to);
  }
  if (mprotect(stubs, 4096, PROT_READ | PROT_EXEC) != 0) return false;
  for (std::size_t at = 0; at + 8 < text.bytes; ++at) {
    unsigned char* const code = text.begin + at;
    const int before = displacement_at(code);
    if (before == 0) continue;
    std::int32_t displacement = 0;
    std::memcpy(&displacement, code + before, sizeof displacement);
    const unsigned char* const next = code + before + sizeof displacement;
    for (std::size_t i = 0; i < count; ++i) {
      if (next + displacement != all[i].from) continue;
      if (!write_displacement(code + before, stubs + i * kStub - next)) return false;
      ++all[i].found;
    }
  }
  // What the loader filled in is protected by now; it stays writable, which harms nobody.
  for (std::size_t at = 0; at + sizeof(void*) <= data.bytes; at += sizeof(void*)) {
    const void* value = nullptr;
    std::memcpy(&value, data.begin + at, sizeof value);
    for (std::size_t i = 0; i < count; ++i) {
      if (value != all[i].from) continue;
      if (!write_protected(data.begin + at, all[i].to, PROT_READ | PROT_WRITE)) return false;
      ++all[i].found;
    }
  }
  return true;
}

}  // namespace vtax::probe
