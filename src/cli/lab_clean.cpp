#include "cli/lab_clean.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/say.h"
#include "machine/parts/cache_limits.h"
#include "machine/parts/package_cache.h"

namespace vtax {
namespace {

Result<ExitCode> clean(bool all) {
  auto cache = lab::PackageCache::open();
  if (!cache) return fail(cache.error());
  const auto cleaned =
      cache->clean(all, [] { fmt::print(stderr, "waiting for another vtax that adds to the cache ...\n"); });
  if (!cleaned) return fail(cleaned.error());
  say("{:.0f} MB freed in {}\n", static_cast<double>(cleaned->freed_bytes) / 1e6,
      cache->directory().string());
  if (cleaned->in_use > 0)
    say("{} {} used by another vtax that runs now, and kept\n", cleaned->in_use,
        cleaned->in_use == 1 ? "folder is" : "folders are");
  return ExitCode::ok;
}

Verb::Action add_lab_clean_options(CLI::App& app) {
  const auto all = std::make_shared<bool>(false);
  app.add_flag("--all", *all, "The downloaded packages too");
  app.footer(
      "\nBy itself the cache keeps " + lab::cache_limits_text() +
      ":\nwhen a new one is made, those that were used longest ago go. What another running vtax uses\n"
      "stays, here too.\n" +
      app.get_footer());
  return [all] { return clean(*all); };
}

}  // namespace

Verb lab_clean_verb() {
  return {"clean", "Remove booted machines and images from the cache; they are made again when needed",
          "vtax lab clean --all", add_lab_clean_options};
}

}  // namespace vtax
