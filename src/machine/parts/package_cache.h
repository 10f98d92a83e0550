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
#include "machine/parts/in_use.h"
#include "machine/parts/packages.h"

namespace vtax::lab {

// One line about what is being done now; called between steps that take long.
using TellStep = std::function<void(std::string_view)>;

// A set as it lies in the cache.
struct FetchedSet {
  std::filesystem::path root;  // the packages' files, unpacked: root/usr/..., root/boot/...
  std::vector<Package> packages;
  InUse in_use = {};  // nobody removes it as long as this lives

  // Every file of it is what was unpacked. Error (io): which one is not.
  [[nodiscard]] Result<> check() const;
};

// What a set is fetched for.
enum class Fetch {
  name,     // to know which packages it is: none of its files is read
  content,  // to read its files: each is checked, and a damaged set is fetched anew, which is said
  newer,    // likewise, and apt is asked for what became newer
};

// Everything that vtax keeps between runs and can make again. Folders of packages and images have a list of
// their content (content_list.h), against which they are checked before they are used:
//   lock                 held while something is added; the system drops it when its holder dies. Where it
//                        does not reach other computers (lock_reach.h), two may make the same: one stays
//   packages/SET.json    which directory holds the set, and its packages: written last
//   packages/SET-HASH/   the unpacked packages
//   images/HASH/         see lab_image.h
//   temporary/NAME@NODE/ work in progress; of no value to another run, removed by this computer's next that
//                        adds something, or a day later by another's
class PackageCache {
 public:
  // $VTAX_CACHE, $XDG_CACHE_HOME/vtax or ~/.cache/vtax, created if need be. Error: another user may write to
  // it (usage): what lies there is run.
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

  // The set if it is there; asks nobody, waits for nobody, reads none of its files.
  [[nodiscard]] std::optional<FetchedSet> find(PackageSet set) const;
  [[nodiscard]] std::optional<FetchedSet> find(const std::string& name) const;

  // The set, downloaded through apt if it is not there. The older folders of the set go unless another
  // program uses them.
  [[nodiscard]] Result<FetchedSet> fetch(PackageSet set, const Apt& apt, const TellStep& progress, Fetch why);
  [[nodiscard]] Result<FetchedSet> fetch(const WantedSet& set, const Apt& apt, const TellStep& progress,
                                         Fetch why);

  // Whether `target` is there and what it was when it was made from this.
  [[nodiscard]] static bool is_sound(const std::filesystem::path& target, const std::string& made_from);

  // Makes `target` (BASE/FOLDER/NAME, BASE is directory() or workplace()) by letting `make` fill an empty
  // directory, which gets its name, with the list of its content, when that succeeds. Under the lock; does
  // nothing when a sound target exists meanwhile. A damaged one is said and replaced: who still uses it keeps
  // its files.
  [[nodiscard]] Result<> add(const std::filesystem::path& target, const std::string& made_from,
                             const std::function<Result<>(const std::filesystem::path&)>& make,
                             const TellStep& progress);

  // Removes what can be made again and is not in use: images, booted machines, work in progress of runs that
  // died; with `packages` the downloads too. `waiting` is called when another program is adding something.
  // The bytes that were freed, and how many folders stay because they are in use.
  struct Cleaned {
    std::uint64_t freed_bytes = 0;
    int in_use = 0;
  };
  [[nodiscard]] Result<Cleaned> clean(bool packages, const std::function<void()>& waiting);

 private:
  void remove_older(const std::string& set, const std::filesystem::path& current) const;
  explicit PackageCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path directory_;
  std::shared_ptr<const std::filesystem::path> own_ = nullptr;
};

}  // namespace vtax::lab
