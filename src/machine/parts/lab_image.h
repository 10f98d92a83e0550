#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "machine/parts/lab_card.h"
#include "machine/parts/package_cache.h"
#include "subject/platform_table.h"
#include "subject/trial_spec.h"

namespace vtax::lab {

// What every system under test has of its workload's files.
struct WorkloadFiles {
  bool compiler = false;      // for the workload `compile`
  std::string packages = {};  // for `program`: names, by spaces
  std::string files = {};     // likewise: a folder or a static program of this computer
  [[nodiscard]] static WorkloadFiles of(const MachineShape& shape) {
    return {shape.compiler, shape.packages, shape.files};
  }
  [[nodiscard]] bool has_program() const { return !packages.empty() || !files.empty(); }

  auto operator<=>(const WorkloadFiles&) const = default;
};

// A kernel: files of the user's in place of a release's.
struct KernelSources {
  std::optional<std::filesystem::path> kernel = {};   // bzImage or vmlinux
  std::optional<std::filesystem::path> modules = {};  // see ModuleTree::open()
  std::optional<std::filesystem::path> symbols = {};  // its System.map
  std::string release = {};                           // whose all else is; empty: this computer's
};

// What the image is made of in place of the distribution's parts: a developer's own builds.
struct Sources {
  std::optional<std::filesystem::path> kernel = {};   // bzImage or vmlinux
  std::optional<std::filesystem::path> modules = {};  // see ModuleTree::open()
  std::optional<std::filesystem::path> xen = {};      // see XenTree::open()
  std::optional<std::filesystem::path> symbols = {};  // the kernel's System.map
  std::string release = {};                 // whose all else is (subject/stack.h); empty: this computer's
  std::optional<KernelSources> guest = {};  // of Xen's and KVM's guests; nothing: the same kernel
  std::filesystem::path agent = "/proc/self/exe";  // PID 1: the static vtax
  WorkloadFiles workload = {};                     // beside the agent of every system under test

  // Whether anything of the distribution's is replaced.
  [[nodiscard]] bool has_own() const { return kernel || modules || xen; }
};

struct ModuleFile {
  std::string name;            // "xen_netback"
  std::filesystem::path file;  // uncompressed .ko with its symbols
};

// In an image's folder: the table of a kernel's symbols that the user gave, where it keeps none itself.
inline constexpr const char* kSystemMap = "System.map";
// Likewise, what the guests have of their own kernel: vmlinux, System.map, modules.
inline constexpr const char* kGuestKernelFolder = "guest-kernel";

// A file of the user's that stands in for a package.
struct OwnFile {
  std::string
      part;  // "kernel", "modules", "xen", "toolstack", "symbols", the guests' "guest kernel", ...; "files"
  std::string path;
  std::string sha256;
};

// Whether the user's own files can be what they are given for, on machines of these kinds: a kernel that
// these can boot, modules that they need, a Xen. It fetches nothing; whether modules fit a kernel of the
// distribution is build_lab_image's affair. Errors: usage, with the file's name.
[[nodiscard]] Result<> check_sources(const std::set<PlatformId>& kinds, const Sources& sources);

// Domain-0's memory, as the line for Xen in an image has it.
inline constexpr int kDom0Mib = 576;

// Everything that QEMU needs to boot one lab machine; files in the cache, which nobody changes.
struct LabImage {
  PlatformId kind = PlatformId::native;      // the machine, as lab_machine_of() says
  std::string hash;                          // of all its content: equal hashes boot equally
  std::filesystem::path kernel;              // vmlinux: QEMU's -kernel, or with Xen its first module
  std::filesystem::path initrd;              // cpio, packed by zstd where its program is large
  std::optional<std::filesystem::path> xen;  // multiboot image: QEMU's -kernel when there is one
  std::string kernel_command_line;
  std::string xen_command_line;
  std::string kernel_release;
  LabCard card = lab_cards().front();  // of a kernel that drives none: no trial sends over it (check_cards())
  std::filesystem::path kernel_symbols;  // for read_kallsyms(), or a System.map
  std::vector<ModuleFile> modules;       // those of all the machine's domains that boot this kernel
  // Where guests boot another one: it, its symbols, and their modules.
  struct GuestKernel {
    std::filesystem::path kernel, symbols;
    std::string release;
    std::vector<ModuleFile> modules;
  };
  std::optional<GuestKernel> guest_kernel = {};
  std::optional<std::filesystem::path> program = {};  // the user's: its ELF files, for their symbols
  std::uint64_t program_bytes = 0;                    // of all its files
  std::uint64_t program_memory_bytes = 0;             // ProgramTree::memory_bytes()
  std::uint64_t packed_bytes = 0;                     // of the system's first files, as its kernel gets them
  std::string release = {};                           // Sources::release
  std::vector<Package> packages;                      // provenance
  std::vector<OwnFile> own_files;
  std::vector<std::string> changes;  // what was changed in the parts, for provenance
  InUse in_use = {};                 // nobody removes its folder as long as this lives
};

// What an image would be made from. The packages are fetched if they are not there; nothing is built.
struct ImageParts {
  std::string hash;  // LabImage::hash
  std::vector<Package> packages;
  std::vector<OwnFile> own_files;
};
[[nodiscard]] Result<ImageParts> parts_of_image(PlatformId kind, const Sources& sources, PackageCache& cache,
                                                const Apt& apt, const TellStep& progress);

// The image from the cache, or built from the cached packages (fetched first if they are not there) and this
// program. Every file of it is checked against what was built; a damaged one is built anew, which `progress`
// says, and so are damaged packages. When it is built, the images that were used longest ago may go
// (cache_limits.h).
[[nodiscard]] Result<LabImage> build_lab_image(PlatformId kind, const Sources& sources, PackageCache& cache,
                                               const Apt& apt, const TellStep& progress);

}  // namespace vtax::lab
