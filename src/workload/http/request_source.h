#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workload/http/alias_table.h"
#include "workload/http/file_set.h"
#include "workload/http/url.h"

namespace vtax::http {

// The requests that a client sends, as they go over the wire; which one is next is drawn by popularity.
class RequestSource {
 public:
  struct Target {
    std::string keep, close;            // the request as it is when the connection goes on, and when it ends
    std::optional<std::uint64_t> size;  // that the content must have
  };

  // The URL's path alone.
  RequestSource(const Url& url, const std::string& host);
  // The files of `set`, below the URL's path.
  RequestSource(const Url& url, const std::string& host, const FileSet& set);

  [[nodiscard]] std::uint32_t draw(Random& random) const {
    return targets_.size() == 1 ? 0 : table_.draw(random);
  }
  [[nodiscard]] const Target& operator[](std::uint32_t index) const { return targets_[index]; }

 private:
  std::vector<Target> targets_;
  AliasTable table_;
};

}  // namespace vtax::http
