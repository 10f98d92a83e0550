#include "machine/parts/kernel_image.h"

#include <gmock/gmock.h>
#include <zstd.h>

#include "core/elf_file.h"
#include "machine/parts/elf_for_test.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;

// A bzImage of protocol 2.15 around a payload, with the four bytes of its size behind, as Linux's build
// appends them.
ByteVector bzimage(const ByteVector& payload) {
  constexpr std::size_t kSetupSectors = 2;
  constexpr std::uint32_t kPayloadOffset = 100;
  ByteVector file((kSetupSectors + 1) * 512 + kPayloadOffset);
  file[0x1f1] = kSetupSectors;
  put(file, 0x202, std::uint32_t{0x53726448});
  put(file, 0x206, std::uint16_t{0x20f});
  put(file, 0x236, std::uint16_t{0x3f});
  put(file, 0x248, kPayloadOffset);
  put(file, 0x24c, static_cast<std::uint32_t>(payload.size() + 4));
  append(file, payload);
  append(file, ByteVector(4));
  return file;
}

ByteVector packed(const ByteVector& in) {
  ByteVector out(::ZSTD_compressBound(in.size()));
  out.resize(::ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 1));
  return out;
}

ByteVector xen_image() {
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, "\177ELF\1\1\1", 7);
  header.e_machine = EM_386;
  header.e_phoff = sizeof header;
  Elf32_Phdr segment{};
  segment.p_offset = 128;
  segment.p_filesz = 200;
  ByteVector file(328);
  put(file, 0, header);
  put(file, sizeof header, segment);
  put(file, 128, std::uint32_t{0x1badb002});
  return file;
}

TEST(KernelImage, ReadsABzImageAndAPlainOrPackedVmlinux) {
  const ByteVector vmlinux = vmlinux_for_test();
  for (const ByteVector& file : {vmlinux, packed(vmlinux), bzimage(packed(vmlinux)), bzimage(vmlinux)}) {
    const auto kernel = read_kernel(file, "vmlinuz");
    ASSERT_TRUE(kernel) << kernel.error().text();
    EXPECT_EQ(kernel->release, "6.1.0-56-amd64");
    EXPECT_TRUE(kernel->pvh);
    EXPECT_TRUE(kernel->xen_pv);
    EXPECT_EQ(loaded_part(kernel->vmlinux), loaded_part(vmlinux));
  }
}

TEST(KernelImage, TellsWhatAKernelCanBootUnder) {
  EXPECT_FALSE(read_kernel(vmlinux_for_test({18}), "v")->xen_pv);
  EXPECT_FALSE(read_kernel(vmlinux_for_test({1}), "v")->pvh);
  EXPECT_FALSE(read_kernel(vmlinux_for_test({}), "v")->pvh);
}

TEST(KernelImage, SaysWhatAForeignFileIs) {
  ByteVector arm = vmlinux_for_test();
  put(arm, 0, elf64_header(ET_EXEC, EM_AARCH64));
  ByteVector arm_image(100);
  std::memcpy(arm_image.data() + 0x38, "ARM\x64", 4);
  ByteVector program = vmlinux_for_test();
  std::fill(program.begin() + 0x200, program.begin() + 0x300, std::uint8_t{'x'});
  const struct {
    ByteVector file;
    const char* says;
  } cases[] = {
      {{}, "an empty file"},
      {bytes_of("#!/bin/sh\n"), "a text file"},
      {arm, "an ELF file for arm64"},
      {arm_image, "an arm64 kernel"},
      {module_for_test(""), "an object file or module for x86-64"},
      {bytes_of("MZ\x90"), "an EFI program"},
      {bytes_of("!<arch>\ndebian-binary"), "a Debian package"},
      {program, "no Linux kernel"},
      {ByteVector(64, 1), "of an unknown format"},
  };
  for (const auto& test : cases) {
    const auto kernel = read_kernel(test.file, "given");
    ASSERT_FALSE(kernel) << test.says;
    EXPECT_THAT(kernel.error().text(), HasSubstr(test.says));
    EXPECT_THAT(kernel.error().text(), HasSubstr("given"));
  }
}

TEST(KernelImage, RefusesEveryTruncationOfABzImage) {
  const ByteVector whole = bzimage(packed(vmlinux_for_test()));
  for (std::size_t size = 0; size + 4 < whole.size(); ++size)
    EXPECT_FALSE(read_kernel(ByteView(whole).first(size), "v")) << size;
  EXPECT_THAT(read_kernel(ByteView(whole).first(1700), "v").error().why, HasSubstr("truncated bzImage"));
}

TEST(KernelImage, DamagedHeadersAreRefusedOrLeaveAKernel) {
  const ByteVector whole = vmlinux_for_test();
  int taken = 0, refused = 0;
  for (std::size_t at = 0; at < 0x200; ++at) {
    ByteVector damaged = whole;
    damaged[at] ^= 0xff;
    const auto kernel = read_kernel(damaged, "v");
    ++(kernel ? taken : refused);
    if (kernel) {
      EXPECT_EQ(kernel->vmlinux, damaged) << at;
      EXPECT_FALSE(kernel->release.empty()) << at;
    } else {
      EXPECT_FALSE(kernel.error().text().empty()) << at;
    }
    EXPECT_LE(loaded_part(damaged).size(), damaged.size()) << at;
  }
  EXPECT_GT(taken, 0);
  EXPECT_GT(refused, 0);
}

TEST(KernelImage, LoadedPartDropsWhatLiesBehindTheSegments) {
  const ByteVector whole = vmlinux_for_test();
  const ByteVector part = loaded_part(whole);
  EXPECT_EQ(part.size(), whole.size() - 1000);
  EXPECT_EQ(load<std::uint16_t>(part, offsetof(Elf64_Ehdr, e_shnum)), 0);
  EXPECT_TRUE(read_kernel(part, "v"));
  EXPECT_EQ(loaded_part(bytes_of("text")), bytes_of("text"));
}

TEST(KernelImage, LoadedPartHasNoZerosAtTheEndOfAWritableSegment) {
  const auto with = [](std::uint32_t flags, std::uint32_t other_type, std::uint64_t other_bytes) {
    Elf64_Ehdr header = elf64_header(ET_EXEC);
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    ByteVector file(0x1000);
    put(file, 0, header);
    put(file, sizeof header, Elf64_Phdr{PT_LOAD, flags, 0x400, 0, 0, 0xc00, 0x2000, 16});
    put(file, sizeof header + sizeof(Elf64_Phdr),
        Elf64_Phdr{other_type, PF_R, 0x400, 0, 0, other_bytes, 8, 4});
    file[0x500] = 1;
    return file;
  };
  const auto size_of = [](const ByteVector& part) {
    const auto segments = ElfFile::open(part)->segments();
    EXPECT_TRUE(segments);
    EXPECT_EQ(segments->front().p_memsz, 0x2000U);
    EXPECT_EQ(part.size(), 0x400 + segments->front().p_filesz);
    return segments->front().p_filesz;
  };
  EXPECT_EQ(size_of(loaded_part(with(PF_R | PF_W, PT_NOTE, 8))), 0x101U);
  EXPECT_EQ(size_of(loaded_part(with(PF_R | PF_W, PT_TLS, 0x300))), 0x300U);  // it names some of the zeros
  EXPECT_EQ(size_of(loaded_part(with(PF_R | PF_X, PT_NOTE, 8))), 0xc00U);
}

TEST(XenImage, AcceptsMultibootOnly) {
  EXPECT_EQ(read_xen(xen_image(), "xen").value(), xen_image());
  EXPECT_EQ(read_xen(packed(xen_image()), "xen.gz").value(), xen_image());
  ByteVector without = xen_image();
  put(without, 128, std::uint32_t{0});
  EXPECT_THAT(read_xen(without, "xen").error().text(), HasSubstr("without a multiboot header"));
  EXPECT_THAT(read_xen(vmlinux_for_test(), "xen-syms").error().text(), HasSubstr("needs xen.gz"));
  EXPECT_THAT(read_xen(bytes_of("MZ"), "xen.efi").error().text(), HasSubstr("an EFI program"));
  EXPECT_THAT(read_xen(ByteView(xen_image()).first(200), "xen").error().text(), HasSubstr("truncated"));
}

}  // namespace
}  // namespace vtax::lab
