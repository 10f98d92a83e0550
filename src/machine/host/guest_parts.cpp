#include "machine/host/guest_parts.h"

#include <tuple>
#include <utility>

#include "core/files.h"
#include "core/sha256.h"
#include "machine/parts/apt.h"
#include "machine/parts/cache_limits.h"
#include "machine/parts/gzip.h"
#include "machine/parts/image_content.h"
#include "machine/parts/kernel_image.h"
#include "machine/parts/package_json.h"
#include "machine/parts/qemu_finder.h"
#include "machine/parts/shared_libraries.h"

namespace vtax::host {
namespace {

namespace fs = std::filesystem;

constexpr char kGuestRole[] = "guest", kKernelName[] = "kernel";

Result<std::vector<std::uint8_t>> read_agent() {
  const auto agent = read_file("/proc/self/exe");
  if (!agent) return fail(agent.error());
  if (!lab::is_static_program(*agent))
    return fail(Error{"build the guest's image", "this vtax is not a static program",
                      "build it with -DVTAX_STATIC=ON, as the presets dev and release do",
                      ExitCode::unavailable});
  return lab::loaded_part(*agent);
}

std::string hash_of(const std::vector<std::uint8_t>& agent, const lab::FetchedSet& kernel) {
  Sha256 hash;
  hash.add(sha256_hex(ByteView(agent)) + "\n");
  for (const lab::Package& package : kernel.packages) hash.add(package.name + " " + package.sha256 + "\n");
  return hash.hex();
}

// UML's drivers for the tap are part of it.
Result<> fill_uml(const std::vector<std::uint8_t>& agent, const fs::path& into) {
  return write_file(into / "initrd.cpio", lab::base_image(kGuestRole, {}, agent).bytes());
}

// Of a guest that is a whole computer.
struct GuestContent {
  std::vector<std::string> modules;  // for its card, and what else it needs
  bool by_firmware = false;          // that boots what a PC's would: the kernel as it is in the package
};

Result<> fill(const GuestContent& content, const std::vector<std::uint8_t>& agent, const lab::FetchedSet& set,
              const fs::path& into) {
  fs::path file;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(set.root / "boot", error))
    if (entry.path().filename().string().starts_with("vmlinuz-") && !entry.is_symlink(error))
      file = entry.path();
  const auto bytes = read_file(file);
  if (!bytes) return fail(bytes.error());
  const auto kernel = lab::read_kernel(*bytes, file.filename().string());
  if (!kernel) return fail(kernel.error());
  const auto tree = lab::ModuleTree::open(set.root);
  if (!tree) return fail(tree.error());
  const auto modules = tree->closure(content.modules);
  if (!modules) return fail(modules.error());
  Result<> written =
      write_file(into / kKernelName, content.by_firmware ? *bytes : lab::loaded_part(kernel->vmlinux));
  auto image = lab::base_image(kGuestRole, *modules, agent).bytes();
  if (content.by_firmware) image = lab::gzip(image);  // QEMU hands it over byte by byte
  if (written) written = write_file(into / "initrd.cpio", image);
  return written;
}

// Platforms of one family boot one image.
std::string family_of(PlatformId platform) {
  if (has_xen(platform) && !has_device_model(platform)) return "xen";
  return std::string(name_of(has_kvm(platform) ? PlatformId::qemu : platform));
}

// But for UML's, whose kernel is a program with all drivers.
GuestContent content_of(PlatformId platform) {
  if (!has_xen(platform)) return {{"virtio_pci", "virtio_net"}};
  // With the watchdog Xen ends a guest that outlives everybody.
  return {{facts_of(platform).emulated_card ? "e1000" : "xen-netfront", "xen_wdt"},
          has_device_model(platform)};
}

struct Built {
  fs::path directory;
  lab::InUse in_use;
};

// `packages`: those of its kernel; where they were damaged, those that took their place.
Result<Built> build(PlatformId platform, lab::FetchedSet& packages, lab::PackageCache& cache,
                    const lab::TellStep& progress) {
  const std::string family = family_of(platform);
  const auto agent = read_agent();
  if (!agent) return fail(agent.error());
  const auto folder = [&] {
    const std::string hash = hash_of(*agent, packages);
    return std::pair(cache.image("host-" + family + "-" + hash.substr(0, 16)), family + " " + hash);
  };
  auto [directory, made_from] = folder();
  if (!lab::PackageCache::is_sound(directory, made_from)) {
    if (platform != PlatformId::uml) {
      auto checked = cache.fetch(lab::PackageSet::kernel, lab::Apt(), progress, lab::Fetch::content);
      if (!checked) return fail(checked.error());
      packages = std::move(*checked);
    }
    std::tie(directory, made_from) = folder();
    const auto added = cache.add(
        directory, made_from,
        [&](const fs::path& into) {
          progress("building the image of the " + family + " guest");
          return platform == PlatformId::uml ? fill_uml(*agent, into)
                                             : fill(content_of(platform), *agent, packages, into);
        },
        progress);
    if (!added) return fail(added.error());
  }
  lab::InUse in_use = lab::use_folder(directory);
  if (in_use == nullptr)
    return fail(Error{"cannot use the guest's image " + directory.string(), "another program has removed it",
                      "run the same command again", ExitCode::io});
  lab::limit_images(directory.parent_path());
  return Built{directory, std::move(in_use)};
}

Result<> add_qemu(PlatformId platform, GuestParts& parts, lab::PackageCache& cache,
                  const lab::TellStep& progress) {
  auto qemu = lab::fetch_qemu(cache, progress);
  if (!qemu) return fail(qemu.error());
  parts.emulator.program = qemu->binary;
  parts.emulator.arguments = qemu->arguments;
  parts.emulator.environment = qemu->environment;
  parts.emulator.environment.insert(parts.emulator.environment.end(), {"PATH=/usr/bin:/bin", "HOME=/"});
  parts.provenance["qemu"] = qemu->banner;
  parts.provenance["accelerator"] = has_kvm(platform) ? "kvm" : "tcg";
  if (has_kvm(platform)) parts.provenance["vhost_net"] = platform == PlatformId::kvm;
  parts.in_use.push_back(qemu->in_use);
  return {};
}

Result<> add_xen(GuestParts& parts) {
  auto toolstack = find_xen_toolstack();
  if (!toolstack) return fail(toolstack.error());
  const auto facts = ask_xen(*toolstack);
  if (!facts) return fail(facts.error());
  parts.toolstack = std::move(*toolstack);
  parts.provenance["xen"] = facts->version;
  parts.provenance["toolstack"] = parts.toolstack.xl.string();
  return {};
}

}  // namespace

Result<GuestParts> prepare_image(PlatformId platform, lab::PackageCache& cache,
                                 const lab::TellStep& progress) {
  const bool uml = platform == PlatformId::uml;
  // UML's kernel is a program of the package itself.
  auto set = uml ? cache.fetch(lab::PackageSet::uml, lab::Apt(), progress, lab::Fetch::content)
                 : cache.fetch(lab::PackageSet::kernel, lab::Apt(), progress, lab::Fetch::name);
  if (!set) return fail(set.error());
  auto built = build(platform, *set, cache, progress);
  if (!built) return fail(built.error());
  GuestParts parts;
  parts.image = {uml ? set->root / "usr/bin/linux.uml" : built->directory / kKernelName,
                 built->directory / "initrd.cpio"};
  parts.provenance["packages"] = lab::to_json(set->packages);
  parts.in_use = {set->in_use, built->in_use};
  return parts;
}

Result<GuestParts> prepare_guest(PlatformId platform, lab::PackageCache& cache,
                                 const lab::TellStep& progress) {
  auto parts = prepare_image(platform, cache, progress);
  if (!parts) return parts;
  Result<> added;
  if (platform == PlatformId::qemu || has_kvm(platform)) added = add_qemu(platform, *parts, cache, progress);
  if (has_xen(platform)) added = add_xen(*parts);
  if (!added) return fail(added.error());
  return parts;
}

}  // namespace vtax::host
