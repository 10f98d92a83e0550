#include "cli/lab_fetch.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/say.h"
#include "machine/parts/qemu_finder.h"
#include "machine/parts/release_apt.h"

namespace vtax {
namespace {

void say_fetching(std::string_view step) {
  fmt::print(stderr, "{} ...\n", step);
}

void print_packages(const std::vector<lab::Package>& packages) {
  for (const lab::Package& package : packages)
    say("{:<36} {:<36} {:>7.1f}  {}\n", package.name, package.version,
        static_cast<double>(package.size_bytes) / 1e6, package.sha256);
}

struct FetchOptions {
  bool refresh = false;
  std::vector<std::string> stacks;    // releases besides this computer's own
  std::vector<std::string> programs;  // each: names of packages, as a study has them
};

Result<> fetch_all(const FetchOptions& options) {
  // What is renewed is another image: nobody's runs end because a release was looked at.
  const bool is_named = !options.stacks.empty() || !options.programs.empty();
  const bool refresh = options.refresh && !is_named;
  auto cache = lab::PackageCache::open();
  if (!cache) return fail(cache.error());
  const lab::Fetch why = refresh ? lab::Fetch::newer : lab::Fetch::content;
  const lab::Fetch why_named = options.refresh ? lab::Fetch::newer : lab::Fetch::content;
  std::vector<lab::Package> packages;
  for (const lab::PackageSet set :
       {lab::PackageSet::kernel, lab::PackageSet::xen, lab::PackageSet::vmm, lab::PackageSet::device_model}) {
    const auto fetched = cache->fetch(set, lab::Apt(), say_fetching, why);
    if (!fetched) return fail(fetched.error());
    packages.insert(packages.end(), fetched->packages.begin(), fetched->packages.end());
  }
  for (const std::string& release : options.stacks)
    for (const lab::PackageSet set : {lab::PackageSet::kernel, lab::PackageSet::xen, lab::PackageSet::vmm}) {
      const auto fetched = lab::fetch_of_release(set, release, *cache, lab::Apt(), say_fetching, why_named);
      if (!fetched) return fail(fetched.error());
      packages.insert(packages.end(), fetched->packages.begin(), fetched->packages.end());
    }
  // Of use on this computer itself only, or for one workload: the lab can do without.
  for (const auto& [set, what] : {std::pair(lab::PackageSet::uml, "User Mode Linux"),
                                  std::pair(lab::PackageSet::compiler, "the workload compile")}) {
    if (const auto fetched = cache->fetch(set, lab::Apt(), say_fetching, why))
      packages.insert(packages.end(), fetched->packages.begin(), fetched->packages.end());
    else
      fmt::print(stderr, "without {}: {}\n", what, fetched.error().text());
  }
  for (const std::string& names : options.programs) {
    const auto fetched = cache->fetch(lab::wanted_programs(names), lab::Apt(), say_fetching, why_named);
    if (!fetched) return fail(fetched.error());
    packages.insert(packages.end(), fetched->packages.begin(), fetched->packages.end());
  }
  const auto qemu = lab::fetch_qemu(*cache, say_fetching, refresh);
  if (!qemu) return fail(qemu.error());
  if (const auto set = cache->find(lab::PackageSet::qemu))
    packages.insert(packages.end(), set->packages.begin(), set->packages.end());

  say("{:<36} {:<36} {:>7}  {}\n", "package", "version", "MB", "SHA-256");
  print_packages(packages);
  say("\n{}\n  {}\ncache: {}\n", qemu->banner, qemu->binary.string(), cache->directory().string());
  return {};
}

Verb::Action add_lab_fetch_options(CLI::App& app) {
  const auto options = std::make_shared<FetchOptions>();
  app.add_flag("--refresh", options->refresh,
               "Ask apt again, and fetch what became newer: of what --stack and --program\n"
               "name, or of all where they name nothing");
  std::vector<std::string> releases;
  for (const DebianRelease& release : kDebianReleases) releases.emplace_back(release.stack);
  app.add_option("--stack", options->stacks, "Also what the factor `stack` boots with this value")
      ->check(CLI::IsMember(releases))
      ->allow_extra_args(false);
  app.add_option(
         "--program", options->programs,
         "Also these packages of the distribution and what they need, as the factor `packages` of the\n"
         "workload program names them: --program 'redis-server redis-tools'")
      ->type_name("PACKAGES")
      ->allow_extra_args(false);
  return [options]() -> Result<ExitCode> {
    if (auto done = fetch_all(*options); !done) return fail(done.error());
    return ExitCode::ok;
  };
}

}  // namespace

Verb lab_fetch_verb() {
  return {"fetch", "Put the lab's packages into vtax's cache, through apt; installs nothing",
          "vtax lab fetch\n  vtax lab fetch --program 'redis-server redis-tools'", add_lab_fetch_options};
}

}  // namespace vtax
