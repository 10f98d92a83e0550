#include "tests/lab/lab_bench.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "machine/lab/snapshot_key.h"
#include "machine/parts/stack_sources.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

// The static vtax that is PID 1 of the images: this build's, or $VTAX_AGENT where this build has none (the
// sanitizers' are dynamic).
fs::path find_agent() {
  if (const char* own = std::getenv("VTAX_AGENT")) return own;
#ifdef VTAX_IS_AGENT
  return VTAX_PROGRAM;
#else
  return {};
#endif
}

template <class T>
T require(Result<T> value) {
  if (value) return std::move(*value);
  std::cerr << value.error().text() << "\n";
  std::abort();  // the bench itself: no test after it could say more
}

}  // namespace

LabBench& LabBench::get() {
  static LabBench bench;
  return bench;
}

LabBench::LabBench() : agent_(find_agent()) {
  auto cache = PackageCache::open();
  if (!cache) {
    missing_ = cache.error().text();
    return;
  }
  cache_ = std::move(*cache);
  if (agent_.empty()) {
    missing_ = "this build's vtax is not static: name one in VTAX_AGENT";
    return;
  }
  auto qemu = find_qemu(*cache_);
  if (!qemu) {
    missing_ = qemu.error().text();
    return;
  }
  qemu_ = std::move(*qemu);
  auto probe = find_probe(*qemu_);
  if (!probe) {
    missing_ = probe.error().text();
    return;
  }
  probe_ = std::move(*probe);
}

std::string LabBench::missing(PlatformId kind) const {
  if (!missing_.empty()) return missing_;
  const bool there = cache_->find(PackageSet::kernel).has_value() &&
                     (!has_xen(kind) || cache_->find(PackageSet::xen).has_value()) &&
                     (!has_kvm(kind) || cache_->find(PackageSet::vmm).has_value()) &&
                     (!has_device_model(kind) || cache_->find(PackageSet::device_model).has_value());
  return there ? "" : "the packages are not in the cache: `vtax lab fetch` puts them there";
}

LabImage LabBench::image(PlatformId kind, const MachineShape& shape) {
  Sources sources = require(sources_of_machine({shape.stack, shape.guest_kernel}, {}, {}));
  sources.agent = agent_;
  sources.workload = WorkloadFiles::of(shape);
  return require(build_lab_image(kind, sources, *cache_, Apt(), quiet));
}

std::unique_ptr<LabMachine> LabBench::another(PlatformId kind, const fs::path& store, const fs::path& probe,
                                              const Qemu& qemu, const MachineShape& shape) {
  auto machine = require(LabMachine::prepare(image(kind, shape), agent_, qemu, probe, shape));
  SnapshotStore snapshots(store);
  if (auto booted = machine->boot(snapshots, quiet); !booted) {
    std::cerr << booted.error().text() << "\n";
    std::abort();
  }
  return machine;
}

const LabMachine& LabBench::machine(PlatformId kind, const MachineShape& shape) {
  auto& kept = machines_[{kind, shape}];
  if (kept == nullptr) kept = another(kind, store(), probe_, *qemu_, shape);
  return *kept;
}

Trial LabBench::measured(const std::map<std::string, std::string>& factors) {
  if (const auto known = measured_.find(factors); known != measured_.end()) return known->second;
  const Trial trial = measured_anew(factors);
  if (trial.error.empty()) measured_[factors] = trial;
  return trial;
}

Trial LabBench::measured_anew(const std::map<std::string, std::string>& factors) {
  Trial trial;
  trial.factors = factors;
  const auto kind = machine_of(factors);
  if (!kind) {
    trial.error = kind.error().text();
  } else if (const auto done = machine(kind->image, kind->shape).run(trial, quiet); !done) {
    trial.error = done.error().text();
  }
  if (!trial.error.empty()) ADD_FAILURE() << trial.error;
  return trial;
}

fs::path LabBench::copy_of_booted(PlatformId kind, const fs::path& store) {
  // Opened anew, for a store lets go what was used longest ago.
  const auto booted = another(kind, this->store(), probe_);
  const std::string name = snapshot_key(booted->spec(), booted->image().hash) + ".machine";
  fs::copy_file(this->store() / name, store / name);
  return store / name;
}

Folder::Folder() {
  std::string pattern = (fs::temp_directory_path() / "vtax-lab-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string test_name(PlatformId kind) {
  std::string out;
  bool word = true;
  for (const char c : name_of(kind)) {
    if (c != '-') out += word ? static_cast<char>(std::toupper(c)) : c;
    word = c == '-';
  }
  return out;
}

std::vector<int> emulators() {
  std::vector<int> all;
  for (const auto& thread : fs::directory_iterator("/proc/self/task")) {
    std::ifstream children(thread.path() / "children");
    for (int child = 0; children >> child;) {
      std::ifstream name(fs::path("/proc") / std::to_string(child) / "comm");
      std::string text;
      std::getline(name, text);
      if (text.starts_with("qemu")) all.push_back(child);
    }
  }
  return all;
}

}  // namespace vtax::lab
