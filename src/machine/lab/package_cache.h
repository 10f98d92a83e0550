#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "machine/lab/in_use.h"
#include "machine/lab/packages.h"

namespace vtax::lab {

// One line about what is being done now; called between steps that take long.
using Progress = std::function<void(std::string_view)>;

// A set as it lies in the cache.
struct FetchedSet {
  std::filesystem::path root;  // the packages' files, unpacked: root/usr/..., root/boot/...
  std::vector<Package> packages;
  InUse in_use = {};  // nobody removes it as long as this lives
};

// Everything that vtax keeps between runs and can make again:
//   lock                 held while something is added; the system drops it when its holder dies
//   packages/SET.json    which directory holds the set, and its packages: written last
//   packages/SET-HASH/   the unpacked packages
//   images/HASH/         see lab_image.h
//   temporary/           work in progress; of no value to another run, removed by the next that adds
//   something
class PackageCache {
 public:
  // $VTAX_CACHE, $XDG_CACHE_HOME/vtax or ~/.cache/vtax, created if need be.
  [[nodiscard]] static Result<PackageCache> open();
  [[nodiscard]] static Result<PackageCache> open(std::filesystem::path directory);

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  // Where what runs make goes: directory(), or, where that may only be read, a folder of this process's own
  // in the temporary folder, which goes with the last copy of this.
  [[nodiscard]] const std::filesystem::path& workplace() const {
    return own_ == nullptr ? directory_ : *own_;
  }
  // images/HASH, where it is, or where it is to be made.
  [[nodiscard]] std::filesystem::path image(const std::string& name) const;

  // The set if it is there; asks nobody, waits for nobody.
  [[nodiscard]] std::optional<FetchedSet> find(PackageSet set) const;

  // The set, downloaded through apt if it is not there. `refresh` asks apt again and fetches what became
  // newer; the older folders of the set go unless another program uses them.
  [[nodiscard]] Result<FetchedSet> fetch(PackageSet set, const Apt& apt, const Progress& progress,
                                         bool refresh = false);

  // Makes `target` (BASE/FOLDER/NAME, BASE is directory() or workplace()) by letting `make` fill an empty
  // directory, which is renamed when that succeeds. Under the lock; does nothing when the target exists
  // meanwhile.
  [[nodiscard]] Result<> add(const std::filesystem::path& target,
                             const std::function<Result<>(const std::filesystem::path&)>& make);

  // Removes what can be made again and is not in use: images, booted machines, work in progress of runs that
  // died; with `packages` the downloads too. `waiting` is called when another program is adding something.
  // The bytes that were freed, and how many folders stay because they are in use.
  struct Cleaned {
    std::uint64_t freed_bytes = 0;
    int in_use = 0;
  };
  [[nodiscard]] Result<Cleaned> clean(bool packages, const std::function<void()>& waiting);

 private:
  void remove_older(PackageSet set, const std::filesystem::path& current) const;
  explicit PackageCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path directory_;
  std::shared_ptr<const std::filesystem::path> own_ = nullptr;
};

}  // namespace vtax::lab
