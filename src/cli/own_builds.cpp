#include "cli/own_builds.h"

namespace vtax {

lab::Sources OwnBuilds::sources() const {
  lab::Sources sources;
  if (!kernel.empty()) sources.kernel = kernel;
  if (!modules.empty()) sources.modules = modules;
  if (!xen.empty()) sources.xen = xen;
  return sources;
}

std::string OwnBuilds::first_option() const {
  if (!xen.empty()) return "--xen";
  if (!kernel.empty()) return "--kernel";
  return modules.empty() ? "" : "--modules";
}

void add_own_builds(CLI::App& app, OwnBuilds& builds) {
  app.add_option("--kernel", builds.kernel, "Your own kernel: bzImage or vmlinux")->check(CLI::ExistingFile);
  app.add_option("--modules", builds.modules, "Its modules: .../lib/modules/RELEASE or the build tree")
      ->check(CLI::ExistingDirectory);
  app.add_option("--xen", builds.xen,
                 "Your own Xen: xen.gz, xen, or a tree of 'make dist' with its toolstack")
      ->check(CLI::ExistingPath);
}

}  // namespace vtax
