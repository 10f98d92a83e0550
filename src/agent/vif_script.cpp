#include "agent/vif_script.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "platform/links.h"
#include "platform/wiring.h"
#include "platform/xenstore.h"

namespace vtax::agent {
namespace {

Result<> bring_online() {
  const char* vif = std::getenv("vif");
  const char* path = std::getenv("XENBUS_PATH");
  if (vif == nullptr || path == nullptr) {
    return fail(Error{"plug in a network backend", "vif or XENBUS_PATH is not in the environment", "",
                      ExitCode::usage});
  }
  Result<Xenstore> store = Xenstore::open();
  if (!store) return fail(store.error());
  const auto bridge = store->read(fmt::format("{}/bridge", path));
  if (!bridge) return fail(bridge.error());
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  if (Result<> plugged = wiring::plug(*links, vif, *bridge, true); !plugged) return plugged;
  return store->write(fmt::format("{}/hotplug-status", path), "connected");
}

}  // namespace

int run_as_vif_script(int argument_count, char** arguments) {
  if (argument_count < 2 || std::string_view(arguments[1]) != "online") return EXIT_SUCCESS;
  if (Result<> done = bring_online(); !done) {
    fmt::print(stderr, "{}: {}\n", vif_script, done.error().text());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace vtax::agent
