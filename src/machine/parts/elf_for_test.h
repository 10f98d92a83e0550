#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace vtax::lab {

using ByteVector = std::vector<std::uint8_t>;

inline ByteVector bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

template <class T>
void put(ByteVector& file, std::size_t at, const T& value) {
  if (file.size() < at + sizeof value) file.resize(at + sizeof value);
  std::memcpy(file.data() + at, &value, sizeof value);
}

inline void append(ByteVector& file, const ByteVector& more) {
  for (const std::uint8_t byte : more) file.push_back(byte);
}

inline Elf64_Ehdr elf64_header(std::uint16_t type, std::uint16_t machine = EM_X86_64) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, "\177ELF\2\1\1", 7);
  header.e_type = type;
  header.e_machine = machine;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  return header;
}

// A kernel as far as the lab looks at one: a segment with the banner, one with Xen's notes, "debug" behind
// them.
inline ByteVector vmlinux_for_test(const std::vector<std::uint32_t>& notes = {1, 18}) {
  ByteVector notes_bytes;
  for (const std::uint32_t type : notes) {
    const Elf64_Nhdr note{4, 8, type};
    put(notes_bytes, notes_bytes.size(), note);
    put(notes_bytes, notes_bytes.size(), std::uint32_t{0x006e6558});  // "Xen"
    put(notes_bytes, notes_bytes.size(), std::uint64_t{0x1000000});
  }
  const std::string banner = "noise Linux version %s Linux version 6.1.0-56-amd64 (builder) #1 SMP";
  Elf64_Ehdr header = elf64_header(ET_EXEC);
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  header.e_shoff = 5000;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 9;
  Elf64_Phdr text{PT_LOAD, PF_R | PF_X, 0x200, 0, 0, banner.size(), banner.size(), 16};
  Elf64_Phdr note{PT_NOTE, PF_R, 0x300, 0, 0, notes_bytes.size(), notes_bytes.size(), 4};
  ByteVector file(0x300);
  put(file, 0, header);
  put(file, sizeof header, text);
  put(file, sizeof header + sizeof text, note);
  std::memcpy(file.data() + 0x200, banner.data(), banner.size());
  append(file, notes_bytes);
  append(file, ByteVector(1000, 'D'));
  return file;
}

// A module with nothing but its description.
inline ByteVector module_for_test(const std::string& depends, const std::string& release = "6.1.0-56-amd64") {
  using namespace std::string_literals;
  const std::string names = "\0.modinfo\0.shstrtab\0"s;
  const std::string info =
      "license=GPL\0depends="s + depends + "\0name=x\0vermagic="s + release + " SMP preempt\0"s;
  Elf64_Ehdr header = elf64_header(ET_REL);
  ByteVector file(sizeof header);
  Elf64_Shdr sections[3] = {};
  sections[1].sh_name = 1;
  sections[1].sh_type = SHT_PROGBITS;
  sections[1].sh_offset = file.size();
  sections[1].sh_size = info.size();
  append(file, bytes_of(info));
  sections[2].sh_name = 10;
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = file.size();
  sections[2].sh_size = names.size();
  append(file, bytes_of(names));
  file.resize((file.size() + 7) & ~std::size_t{7});
  header.e_shoff = file.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shstrndx = 2;
  for (const Elf64_Shdr& section : sections) put(file, file.size(), section);
  put(file, 0, header);
  return file;
}

// One section of a made-up object file.
struct SectionForTest {
  std::string name;
  Elf64_Word type;
  Elf64_Xword flags;
  ByteVector content;
  Elf64_Word link = 0, info = 0;
};

// Offsets of names in ".shstrtab", which is the last section.
inline ByteVector object_for_test(std::vector<SectionForTest> parts) {
  parts.insert(parts.begin(), SectionForTest{"", SHT_NULL, 0, {}});
  parts.push_back({".shstrtab", SHT_STRTAB, 0, {}});
  ByteVector names;
  Elf64_Ehdr header = elf64_header(ET_REL);
  std::vector<Elf64_Shdr> headers;
  ByteVector file(sizeof header);
  for (SectionForTest& part : parts) {
    Elf64_Shdr one{};
    one.sh_name = static_cast<Elf64_Word>(names.size());
    append(names, bytes_of(part.name + '\0'));
    if (&part == &parts.back()) part.content = names;
    one.sh_type = part.type;
    one.sh_flags = part.flags;
    one.sh_link = part.link;
    one.sh_info = part.info;
    one.sh_addralign = 16;
    one.sh_offset = (file.size() + 15) & ~std::size_t{15};
    one.sh_size = part.content.size();
    file.resize(one.sh_offset);
    append(file, part.content);
    headers.push_back(one);
  }
  header.e_shoff = file.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = static_cast<Elf64_Half>(headers.size());
  header.e_shstrndx = static_cast<Elf64_Half>(headers.size() - 1);
  for (const Elf64_Shdr& one : headers) put(file, file.size(), one);
  put(file, 0, header);
  return file;
}

// With debugging information before and behind what the kernel needs; the function is in section 2.
inline ByteVector module_with_debug_for_test(bool has_debug = true) {
  Elf64_Sym function{};
  function.st_name = 1;
  function.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  function.st_shndx = 2;
  function.st_value = 4;
  ByteVector symbols(sizeof function);
  put(symbols, symbols.size(), function);
  const std::string prefix = has_debug ? ".debug_" : ".other_";
  return object_for_test(
      {{prefix + "info", SHT_PROGBITS, 0, ByteVector(5000, 'D')},
       {".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, ByteVector(33, 'T')},
       {".rela" + prefix + "info", SHT_RELA, SHF_INFO_LINK, ByteVector(2400, 'R'), 5, 1},
       {".modinfo", SHT_PROGBITS, SHF_ALLOC, bytes_of(std::string("vermagic=6.1.0 SMP\0", 19))},
       {".symtab", SHT_SYMTAB, 0, symbols, 6, 1},
       {".strtab", SHT_STRTAB, 0, bytes_of(std::string("\0run\0", 5))},
       {prefix + "str", SHT_PROGBITS, 0, ByteVector(3000, 'S')}});
}

}  // namespace vtax::lab
