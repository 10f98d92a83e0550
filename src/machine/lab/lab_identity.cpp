#include "machine/lab/lab_identity.h"

#include <nlohmann/json.hpp>

#include "core/fast_hash.h"
#include "machine/lab/lab_machine.h"
#include "machine/parts/lab_parts.h"
#include "machine/parts/qemu_finder.h"
#include "machine/parts/stack_sources.h"

namespace vtax::lab {
namespace {

using nlohmann::json;

json by_name(const std::vector<Package>& packages) {
  json out = json::object();
  for (const Package& package : packages) out[package.name] = package.version + " " + package.sha256;
  return out;
}

Result<> add_file_hash(json& into, const std::string& name, const std::filesystem::path& file) {
  const auto hash = fast_hash_of_file(file);
  if (!hash) return fail(hash.error());
  into[name] = *hash;
  return {};
}

// vtax, which is the guests' PID 1 too, and what QEMU loads of it.
Result<> add_program(json& into, const Sources& sources, const Qemu& qemu) {
  if (auto added = add_file_hash(into, "vtax", sources.agent); !added) return added;
  for (const char* name : {kTurns, kParallelTime, kVmrun}) {
    const auto file = find_lab_part(name);
    if (!file) return fail(file.error());
    if (auto added = add_file_hash(into, name, *file); !added) return added;
  }
  const auto probe = find_probe(qemu);
  if (!probe) return fail(probe.error());
  return add_file_hash(into, probe->filename().string(), *probe);
}

// One that was not unpacked from packages is known by its program alone; its firmware and libraries are the
// system's.
Result<> add_qemu(json& into, const Qemu& qemu, const PackageCache& cache) {
  into["qemu"] = qemu.banner;
  if (!qemu.package_folder.empty())
    if (const auto set = cache.find(PackageSet::qemu)) {
      into["packages of qemu"] = by_name(set->packages);
      return {};
    }
  return add_file_hash(into, "qemu program", qemu.binary);
}

std::string more_of(const WorkloadFiles& workload) {
  if (workload.compiler) return " with compiler";
  return workload.packages.empty() ? "" : " with " + workload.packages;
}

}  // namespace

Result<LabIdentity> identify_lab(const std::vector<Trial>& trials, const Sources& sources,
                                 const OwnStacks& stacks, const TellStep& progress) {
  auto cache = PackageCache::open();
  if (!cache) return fail(cache.error());
  const auto qemu = fetch_qemu(*cache, progress);
  if (!qemu) return fail(qemu.error());
  LabIdentity identity;
  json all = json::object();
  if (auto added = add_program(all, sources, *qemu); !added) return fail(added.error());
  if (auto added = add_qemu(all, *qemu, *cache); !added) return fail(added.error());
  std::vector<ImageName> names;
  for (const Trial& trial : trials) {
    const auto spec = trial_spec_of(trial.factors);
    if (!spec) return fail(spec.error());
    names.push_back(ImageName::of(machine_of(*spec)));
    if (const auto peer = peer_machine_of(*spec)) names.push_back(ImageName::of(*peer));
  }
  for (const ImageName& name : names) {
    if (identity.images.contains(name)) continue;
    auto own = sources_of_machine(name.stacks, sources, stacks);
    if (!own) return fail(own.error());
    own->workload = name.workload;
    const auto parts = parts_of_image(name.kind, *own, *cache, Apt(), progress);
    if (!parts) return fail(parts.error());
    identity.images[name] = parts->hash;
    std::string of_stack = name.stacks.stack == kOwnDistribution ? "" : " of " + name.stacks.stack;
    if (name.stacks.guest_kernel != kSameKernel)
      of_stack += " with the kernel of " + name.stacks.guest_kernel;
    all["packages of " + std::string(name_of(name.kind)) + of_stack + more_of(name.workload)] =
        by_name(parts->packages);
    for (const OwnFile& file : parts->own_files) {
      std::string key = "own " + file.part + of_stack;
      if (file.part == "files") key += " " + file.path;
      // Of modules each machine has those that it needs.
      if (file.part.ends_with("modules")) key += " of " + std::string(name_of(name.kind));
      all[key] = file.sha256;
    }
  }
  identity.json = all.dump();
  return identity;
}

}  // namespace vtax::lab
