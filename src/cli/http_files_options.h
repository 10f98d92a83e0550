#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "workload/http/file_set.h"

namespace vtax {

// Which file set: the same options for whoever serves, requests or writes it.
struct HttpFilesOptions {
  std::uint64_t seed = 1;
  std::string sizes = "table";

  [[nodiscard]] http::FileSet make() const {
    return http::FileSet(seed, sizes == "table" ? http::Sizes::table : http::Sizes::specweb99);
  }
};

inline void add_http_files_options(CLI::App& app, HttpFilesOptions& options) {
  app.add_option("--seed", options.seed, "Of the file set")->capture_default_str();
  app.add_option("--sizes", options.sizes, "table: the dissertation's median too; specweb99: its own")
      ->check(CLI::IsMember({"table", "specweb99"}))
      ->capture_default_str();
}

}  // namespace vtax
