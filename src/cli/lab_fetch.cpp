#include "cli/lab_fetch.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "machine/lab/qemu_finder.h"

namespace vtax::cli {
namespace {

void say(std::string_view step) {
  fmt::print(stderr, "{} ...\n", step);
}

void print_packages(const std::vector<lab::Package>& packages) {
  for (const lab::Package& package : packages)
    fmt::print("{:<36} {:<36} {:>7.1f}  {}\n", package.name, package.version,
               static_cast<double>(package.size_bytes) / 1e6, package.sha256);
}

Result<> fetch_all(bool refresh) {
  auto cache = lab::PackageCache::open();
  if (!cache) return fail(cache.error());
  std::vector<lab::Package> packages;
  for (const lab::PackageSet set : {lab::PackageSet::kernel, lab::PackageSet::xen}) {
    const auto fetched = cache->fetch(set, lab::Apt(), say, refresh);
    if (!fetched) return fail(fetched.error());
    packages.insert(packages.end(), fetched->packages.begin(), fetched->packages.end());
  }
  const auto qemu = lab::fetch_qemu(*cache, say, refresh);
  if (!qemu) return fail(qemu.error());
  if (const auto set = cache->find(lab::PackageSet::qemu))
    packages.insert(packages.end(), set->packages.begin(), set->packages.end());

  fmt::print("{:<36} {:<36} {:>7}  {}\n", "package", "version", "MB", "SHA-256");
  print_packages(packages);
  fmt::print("\n{}\n  {}\ncache: {}\n", qemu->banner, qemu->binary.string(), cache->directory().string());
  return {};
}

}  // namespace

void add_lab_fetch(CLI::App& lab, ExitCode& outcome) {
  CLI::App* verb = lab.add_subcommand("fetch", "Put the lab's packages into vtax's cache; installs nothing");
  verb->footer(
      "The packages come through apt, checked against its signed index. A second call asks nobody.\n\n"
      "Example:\n  vtax lab fetch");
  const auto refresh = std::make_shared<bool>(false);
  verb->add_flag("--refresh", *refresh, "Ask apt again, and fetch what became newer");
  verb->callback([refresh, &outcome] {
    if (auto done = fetch_all(*refresh); !done) {
      fmt::print(stderr, "vtax: {}\n", done.error().text());
      outcome = done.error().code;
    }
  });
}

}  // namespace vtax::cli
