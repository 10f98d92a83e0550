#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax::lab {

// The files of an image of a container, by their paths below its root ("usr/bin/sh"): layers one over the
// other. Whoever wrote them may be hostile: no path or link leads out of the root, and there are no devices.
class OciFiles {
 public:
  struct File {
    enum class Kind { file, link, folder } kind = Kind::folder;
    std::string target = {};  // of a link
    bool runs = false;
    std::shared_ptr<const std::vector<std::uint8_t>> content = {};  // of a file
  };

  // `is_left_out`: of a path, whether nobody needs it. `most_bytes`: of all content that is kept.
  OciFiles(std::function<bool(const std::string&)> is_left_out, std::uint64_t most_bytes)
      : is_left_out_(std::move(is_left_out)), most_bytes_(most_bytes) {}

  // A layer's archive, unpacked: its files come over those that are there, and what it says was removed
  // (".wh.NAME", ".wh..wh..opq": the image specification's "Layer Filesystem Changeset") goes. `what` begins
  // an error (usage).
  [[nodiscard]] Result<> add_layer(ByteView archive, const std::string& what);

  [[nodiscard]] const std::map<std::string, File>& files() const { return files_; }

 private:
  using Files = std::map<std::string, File>;
  Files::iterator erase(Files::iterator file);
  void remove_below(const std::string& folder);
  void remove(const std::string& path);
  // With the links among its folders followed. A folder that is missing is made, or, so that what is removed
  // makes nothing, ends it: "".
  enum class Missing { is_made, ends };
  [[nodiscard]] Result<std::string> place_of(const std::string& path, const std::string& what,
                                             Missing missing = Missing::is_made);
  void put(const std::string& path, File file);

  std::function<bool(const std::string&)> is_left_out_;
  std::uint64_t most_bytes_;
  std::uint64_t bytes_ = 0;  // of all files_
  Files files_;
};

}  // namespace vtax::lab
