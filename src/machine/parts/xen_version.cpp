#include "machine/parts/xen_version.h"

#include <elf.h>
#include <fmt/format.h>

#include "account/xen_symbols.h"
#include "core/elf_file.h"

namespace vtax::lab {
namespace {

// The image is one piece, where its only loaded segment of ELF32 says; Xen runs it 0xffff82d040000000 higher
// than it is loaded.
std::optional<std::uint64_t> place_in_file(ByteView xen, GuestAddress address) {
  const auto header = copy_at<Elf32_Ehdr>(xen, 0);
  if (!header || header->e_phentsize != sizeof(Elf32_Phdr)) return std::nullopt;
  for (std::uint32_t i = 0; i < header->e_phnum; ++i) {
    const auto segment = copy_at<Elf32_Phdr>(xen, header->e_phoff + std::uint64_t{i} * sizeof(Elf32_Phdr));
    if (!segment) return std::nullopt;
    const std::uint64_t begin = kXenVirtualStart + segment->p_paddr;
    if (segment->p_type == PT_LOAD && address.value >= begin && address.value - begin < segment->p_filesz)
      return segment->p_offset + (address.value - begin);
  }
  return std::nullopt;
}

// What a function returns that is mov $constant, %eax and a return, behind endbr64 or not.
std::optional<std::uint32_t> constant_of(ByteView xen, const SymbolTable& symbols,
                                         std::string_view function) {
  constexpr std::uint32_t kEndbr64 = 0xfa1e0ff3;
  constexpr std::uint8_t kMovEax = 0xb8;
  const auto address = symbols.address_of(function);
  auto at = address ? place_in_file(xen, *address) : std::nullopt;
  if (!at) return std::nullopt;
  if (copy_at<std::uint32_t>(xen, *at) == kEndbr64) *at += sizeof kEndbr64;
  if (copy_at<std::uint8_t>(xen, *at) != kMovEax) return std::nullopt;
  return copy_at<std::uint32_t>(xen, *at + 1);
}

// Of xen-utils-4.17.
std::string toolstack_version(const std::vector<Package>& packages) {
  constexpr std::string_view kBefore = "xen-utils-";
  for (const Package& package : packages)
    if (package.name.starts_with(kBefore) && package.name.find('.') != std::string::npos)
      return package.name.substr(kBefore.size());
  return "";
}

}  // namespace

std::optional<std::string> version_of_xen(ByteView xen, const std::string& name) {
  constexpr std::uint32_t kMost = 1000;
  const auto symbols = read_xen_symbols(xen, name);
  if (!symbols) return std::nullopt;
  const auto major = constant_of(xen, *symbols, "xen_major_version"),
             minor = constant_of(xen, *symbols, "xen_minor_version");
  if (!major || !minor || *major > kMost || *minor > kMost) return std::nullopt;
  return fmt::format("{}.{}", *major, *minor);
}

Result<> expect_toolstack(ByteView xen, const std::string& name, const std::vector<Package>& packages) {
  const auto own = version_of_xen(xen, name);
  const std::string toolstack = toolstack_version(packages);
  if (!own || toolstack.empty() || *own == toolstack) return {};
  return fail(
      {"cannot use " + name + " as the lab's hypervisor",
       fmt::format("it is Xen {}, and the toolstack of the lab's Domain-0 (xl, package xen-utils-{}) is "
                   "Xen {}'s, which speaks to no other",
                   *own, toolstack, toolstack),
       fmt::format("give a hypervisor of Xen {}, or run vtax where apt carries xen-utils-{}", toolstack,
                   *own),
       ExitCode::usage});
}

}  // namespace vtax::lab
