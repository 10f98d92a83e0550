#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax::lab {

// A Linux kernel that the lab can boot.
struct KernelImage {
  std::vector<std::uint8_t> vmlinux;  // ELF64 x86-64; with its symbols if the file had them
  std::string release;                // as uname -r prints it: "6.1.0-56-amd64"
  bool pvh = false;                   // QEMU can start it by itself (XEN_ELFNOTE_PHYS32_ENTRY)
  bool xen_pv = false;                // Xen can start it as Dom0 or PV guest (XEN_ELFNOTE_ENTRY)
};

// From a bzImage (its payload packed as decompress() reads it; Documentation/arch/x86/boot.rst of Linux), or
// a vmlinux, plain or packed. Errors say what the file is instead. `name` is the file's name, for errors.
[[nodiscard]] Result<KernelImage> read_kernel(ByteView file, const std::string& name);

// Whether it has the boot protocol's header (HdrS).
[[nodiscard]] bool is_bzimage(ByteView file);

// The multiboot image of a Xen hypervisor (ELF32; QEMU's and GRUB's -kernel), from xen.gz or plain.
[[nodiscard]] Result<std::vector<std::uint8_t>> read_xen(ByteView file, const std::string& name);

// The part of an ELF executable that is loaded: without section headers, symbols and debugging
// information, which fill memory where a whole file is handed over, and without the zeros of a .bss. Other
// files come back as they are.
[[nodiscard]] std::vector<std::uint8_t> loaded_part(ByteView elf);

// "an ELF file for arm64", "a text file": what stands in the place of something else.
[[nodiscard]] std::string describe_file(ByteView file);

}  // namespace vtax::lab
