#include "agent/vif_script.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "platform/links.h"
#include "platform/wiring.h"
#include "platform/xenstore.h"

namespace vtax::agent {
namespace {

Error no_variable(const char* what) {
  return {"plug in a network backend", fmt::format("{} is not in the environment", what), "",
          ExitCode::usage};
}

// The interface that the environment variable names becomes a port of the bridge that stands in xenstore.
Result<> plug_in(Xenstore& store, const std::string& path, const char* variable) {
  const char* interface = std::getenv(variable);
  if (interface == nullptr) return fail(no_variable(variable));
  const auto bridge = store.read(fmt::format("{}/bridge", path));
  if (!bridge) return fail(bridge.error());
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  return wiring::plug(*links, interface, *bridge, true);
}

Result<> do_hotplug(std::string_view order, bool tap) {
  const char* path = std::getenv("XENBUS_PATH");
  if (path == nullptr) return fail(no_variable("XENBUS_PATH"));
  Result<Xenstore> store = Xenstore::open();
  if (!store) return fail(store.error());
  if (tap) return order == "add" ? plug_in(*store, path, "INTERFACE") : Result<>();
  if (order != "online") return {};
  if (Result<> plugged = plug_in(*store, path, "vif"); !plugged) return plugged;
  return store->write(fmt::format("{}/hotplug-status", path), "connected");
}

}  // namespace

int run_as_vif_script(int argument_count, char** arguments) {
  const std::string_view order = argument_count < 2 ? "" : arguments[1];
  if (order != "online" && order != "add") return EXIT_SUCCESS;
  const bool tap = argument_count > 2 && std::string_view(arguments[2]) == "type_if=tap";
  if (Result<> done = do_hotplug(order, tap); !done) {
    fmt::print(stderr, "{}: {}\n", kVifScript, done.error().text());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace vtax::agent
