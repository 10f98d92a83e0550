#include "cli/lab_clean.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "machine/lab/package_cache.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t total = 0;
  std::error_code ignored;
  for (auto entry = fs::recursive_directory_iterator(directory, ignored); entry != fs::end(entry);
       entry.increment(ignored))
    if (entry->is_regular_file(ignored) && !entry->is_symlink(ignored)) total += entry->file_size(ignored);
  return total;
}

Result<ExitCode> clean(bool all) {
  auto cache = lab::PackageCache::open();
  if (!cache) return fail(cache.error());
  std::uint64_t freed = 0;
  std::vector<const char*> parts = {"machines", "images", "temporary"};
  if (all) parts.insert(parts.end(), {"packages", "backports"});
  for (const char* part : parts) {
    const fs::path directory = cache->directory() / part;
    freed += bytes_below(directory);
    std::error_code error;
    fs::remove_all(directory, error);
    if (error) return fail(system_error("cannot remove " + directory.string(), error.value()));
  }
  fmt::print("{:.0f} MB freed in {}\n", static_cast<double>(freed) / 1e6, cache->directory().string());
  return ExitCode::ok;
}

Verb::Action add_options(CLI::App& app) {
  const auto all = std::make_shared<bool>(false);
  app.add_flag("--all", *all, "The downloaded packages too");
  return [all] { return clean(*all); };
}

}  // namespace

Verb lab_clean_verb() {
  return {"clean", "Remove booted machines and images from the cache; they are made again when needed",
          "vtax lab clean --all", add_options};
}

}  // namespace vtax
