#include "machine/parts/gathered_parts.h"

#include "core/files.h"
#include "core/sha256.h"
#include "machine/parts/gathered_program.h"
#include "machine/parts/kernel_image.h"
#include "machine/parts/module_list.h"
#include "machine/parts/release_apt.h"
#include "machine/parts/shared_libraries.h"
#include "machine/parts/stack_sources.h"
#include "machine/parts/xen_tree.h"
#include "machine/parts/xen_version.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

void add_domain(Domain& all, const Domain& more) {
  all.modules.insert(all.modules.end(), more.modules.begin(), more.modules.end());
  all.has_card = all.has_card || more.has_card;
  for (const auto* names : {&more.optional, &more.disk, &more.nat, &more.giver, &more.driver, &more.balloon,
                            &more.functions, &more.macvtap})
    all.optional.insert(all.optional.end(), names->begin(), names->end());
}

Result<> add_own_file(GatheredParts& parts, const std::string& part, const fs::path& path) {
  const auto hash = sha256_of_file(path);
  if (!hash) return fail(hash.error());
  parts.own_files.push_back({part, fs::absolute(path).string(), *hash});
  return {};
}

Result<> add_own_modules(GatheredParts& parts, const std::string& part, const Domain& all,
                         const fs::path& directory) {
  const auto tree = ModuleTree::open(directory);
  if (!tree) return fail(tree.error());
  auto modules = tree->closure(all.modules, with_card(all, *tree));
  if (!modules) return fail(modules.error());
  Sha256 hash;
  for (const Module& module : *modules)
    hash.add(module.name + " " + sha256_hex(ByteView(module.object)) + "\n");
  parts.own_files.push_back({part, fs::absolute(directory).string(), hash.hex()});
  return {};
}

// The user's own files of a kernel; `whose`: "" or "guest ".
Result<> add_own_kernel(GatheredParts& parts, const std::string& whose, const Domain& all,
                        const std::optional<fs::path>& kernel, const std::optional<fs::path>& modules,
                        const std::optional<fs::path>& symbols) {
  Result<> added;
  if (kernel) added = add_own_file(parts, whose + "kernel", *kernel);
  if (modules && added) added = add_own_modules(parts, whose + "modules", all, *modules);
  if (symbols && added) added = add_own_file(parts, whose + "symbols", *symbols);
  return added;
}

Result<> check_toolstack(const fs::path& file, const FetchedSet& xen_set) {
  const auto bytes = read_file(file);
  if (!bytes) return fail(bytes.error());
  const auto xen = read_xen(*bytes, file.filename().string());
  if (!xen) return fail(xen.error());
  return expect_toolstack(*xen, file.filename().string(), xen_set.packages);
}

// Hypervisor and, where it is a tree with one, its toolstack, whose libraries may be the packages'.
Result<> add_own_xen(GatheredParts& parts, const fs::path& given) {
  const auto tree = XenTree::open(given);
  if (!tree) return fail(tree.error());
  if (!tree->has_toolstack()) return check_toolstack(tree->hypervisor, *parts.xen_set);
  auto files = toolstack_files(*tree, parts.xen_set->root);
  if (!files) return fail(files.error());
  Sha256 hash;
  for (const auto& [path, file] : *files) {
    const auto content = sha256_of_file(file);
    if (!content) return fail(content.error());
    hash.add(path + " " + *content + "\n");
  }
  parts.own_files.push_back({"toolstack", fs::absolute(given).string(), hash.hex()});
  parts.toolstack = std::move(*files);
  // Their Xen is not used.
  std::erase_if(parts.xen_set->packages, [](const Package& package) {
    return package.name.starts_with("xen-") || package.name.starts_with("libxen");
  });
  return {};
}

}  // namespace

Domain domains_of_kernel(PlatformId kind, const Sources& sources) {
  Domain all;
  add_domain(all, first_domain(kind));
  if (const Domain* guest = guest_domain(kind); guest != nullptr && !sources.guest) add_domain(all, *guest);
  return all;
}

Domain domains_of_guest_kernel(PlatformId kind) {
  Domain all;
  add_domain(all, *guest_domain(kind));
  return all;
}

bool has_guest_kernel(PlatformId kind, const Sources& sources) {
  return sources.guest && guest_domain(kind) != nullptr;
}

Result<GatheredParts> gather_parts(PlatformId kind, const Sources& sources, PackageCache& cache,
                                   const Apt& apt, const TellStep& progress, Fetch why) {
  GatheredParts parts;
  // The user's own files first: what is wrong with them should not cost a download.
  auto added = add_own_kernel(parts, "", domains_of_kernel(kind, sources), sources.kernel, sources.modules,
                              sources.symbols);
  if (added && has_guest_kernel(kind, sources))
    added = add_own_kernel(parts, "guest ", domains_of_guest_kernel(kind), sources.guest->kernel,
                           sources.guest->modules, sources.guest->symbols);
  if (!added) return fail(added.error());
  if (sources.xen && has_xen(kind)) {
    const auto tree = XenTree::open(*sources.xen);
    if (!tree) return fail(tree.error());
    if (added = add_own_file(parts, "xen", tree->hypervisor); !added) return fail(added.error());
  }
  auto agent = read_file(sources.agent);
  if (!agent) return fail(agent.error());
  if (!is_static_program(*agent))
    return fail({"cannot build the lab's image", sources.agent.string() + " is not a static program",
                 "build vtax with -DVTAX_STATIC=ON, as the presets dev and release do",
                 ExitCode::unavailable});
  parts.agent = loaded_part(*agent);
  parts.agent_sha256 = sha256_hex(ByteView(parts.agent));
  const auto toolstack = has_xen(kind) ? toolstack_of(sources) : sources.release;
  if (!toolstack) return fail(toolstack.error());
  const auto fetch = [&](PackageSet set, const std::string& release) {
    return fetch_of_release(set, release, cache, apt, progress, why);
  };
  auto kernel_set = fetch(PackageSet::kernel, sources.release);
  if (!kernel_set) return fail(kernel_set.error());
  parts.kernel_set = std::move(*kernel_set);
  if (has_guest_kernel(kind, sources)) {
    auto guest_kernel_set = fetch(PackageSet::kernel, sources.guest->release);
    if (!guest_kernel_set) return fail(guest_kernel_set.error());
    parts.guest_kernel_set = std::move(*guest_kernel_set);
  }
  if (has_xen(kind)) {
    auto xen_set = fetch(PackageSet::xen, *toolstack);
    if (!xen_set) return fail(xen_set.error());
    parts.xen_set = std::move(*xen_set);
    if (sources.xen)
      if (added = add_own_xen(parts, *sources.xen); !added) return fail(added.error());
  }
  if (has_device_model(kind)) {
    auto device_model_set = fetch(PackageSet::device_model, *toolstack);
    if (!device_model_set) return fail(device_model_set.error());
    parts.device_model_set = std::move(*device_model_set);
  }
  if (has_kvm(kind)) {
    auto vmm_set = fetch(PackageSet::vmm, sources.release);
    if (!vmm_set) return fail(vmm_set.error());
    parts.vmm_set = std::move(*vmm_set);
  }
  auto program = gather_program(sources.workload, cache, apt, progress, why);
  if (!program) return fail(program.error());
  if (program->own) parts.own_files.push_back(*program->own);
  parts.program = std::move(program->tree);
  parts.program_set = std::move(program->set);
  if (sources.workload.compiler) {
    auto compiler_set = cache.fetch(PackageSet::compiler, apt, progress, why);
    if (!compiler_set) return fail(compiler_set.error());
    parts.compiler_set = std::move(*compiler_set);
  }
  return parts;
}

std::vector<Package> packages_of(const GatheredParts& parts) {
  std::vector<Package> all = parts.kernel_set.packages;
  for (const auto* set :
       {&parts.xen_set, &parts.device_model_set, &parts.vmm_set, &parts.compiler_set, &parts.program_set})
    if (*set) all.insert(all.end(), (*set)->packages.begin(), (*set)->packages.end());
  if (parts.guest_kernel_set && parts.guest_kernel_set->root != parts.kernel_set.root)
    all.insert(all.end(), parts.guest_kernel_set->packages.begin(), parts.guest_kernel_set->packages.end());
  return all;
}

std::string content_hash(PlatformId kind, const GatheredParts& parts) {
  Sha256 hash;
  hash.add(std::string(name_of(kind)) + "\n" + parts.agent_sha256 + "\n");
  if (parts.guest_kernel_set) {
    hash.add("guest kernel\n");
    for (const Package& package : parts.guest_kernel_set->packages)
      hash.add(package.name + " " + package.sha256 + "\n");
  }
  for (const OwnFile& own : parts.own_files) hash.add(own.part + " " + own.sha256 + "\n");
  for (const Package& package : packages_of(parts)) hash.add(package.name + " " + package.sha256 + "\n");
  return hash.hex();
}

}  // namespace vtax::lab
