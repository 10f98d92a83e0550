#include "advise/placement.h"
#include "advise/server.h"
#include "advise/what_if.h"
#include "prices/price_list.h"
#include "tests/fuzz/targets.h"

namespace vtax::fuzz {
namespace {

std::vector<std::string> server_files() {
  return toml_files(VTAX_SOURCE_DIR "/servers");
}

// What is taken has numbers that can be, and its placements are as few as is promised.
bool try_server(std::string_view input) {
  const auto server = advise::parse_server(input, "input");
  if (!server) {
    require(!server.error().what.empty() && !server.error().why.empty(), "an error says what and why");
    return false;
  }
  require(server->cpus >= 1 && server->cpu_mips >= 1 && server->link_mbps >= 0,
          "a server is one that can be");
  require(!server->applications.empty(), "a server has applications");
  for (const advise::Application& application : server->applications)
    require(application.rate > 0 && !application.guests.empty(), "an application has a rate and guests");
  constexpr std::size_t kFew = 200;  // the more there are, the longer an input takes
  std::size_t choices = 1;
  for (const auto& [factor, values] : server->choices) choices *= values.size();
  for (const advise::Application& application : server->applications) {
    choices *= application.guests.size();
    for (const auto& [factor, values] : application.factors) choices *= values.size();
    if (choices > kFew) return true;
  }
  if (const auto placements = advise::placements_of(*server, {"native", "xen-pv"}))
    for (const advise::Placement& placement : *placements)
      require(placement.cells.size() == server->applications.size(), "a placement has a cell an application");
  return true;
}

std::vector<std::string> price_lists() {
  return {
      "vtax_prices = 1\nprocessor = \"a\"\nunit = \"cycles\"\nghz = 2.5\n[instructions]\n"
      "kernel = { price = 0.5, error = 0.2, source = \"a manual\" }\n"
      "program = { price = 0.4, error = 0.2, source = \"a manual\" }\n[events]\n"
      "vm_exits = { price = 1200, error = 0.5, source = \"a paper\" }\n"
      "bytes_copied = { price = 0.1, error = 0, source = \"a paper\" }\n[not_known]\ninterrupts = \"why\"\n"};
}

// What is taken and written is taken again, with as many prices.
bool try_prices(std::string_view input) {
  const auto prices = prices::parse_prices(input, "input");
  if (!prices) return false;
  for (const auto& [kind, price] : prices->events)
    require(price.ns >= 0 && price.error >= 0, "a price is a number from 0 on");
  const auto again = prices::parse_prices(prices::text_of(*prices), "again");
  require(again.has_value(), "a price list that is written can be read");
  require(again->events.size() == prices->events.size(), "no price is lost");
  return true;
}

std::vector<std::string> changes() {
  return {"guests=+1", "guests=+12:web", "rate=1.5", "rate=0.25:web server"};
}

bool try_change(std::string_view input) {
  const auto change = advise::change_of(input);
  if (!change) return false;
  require(change->more_guests >= 0 && change->times > 0, "a change is one that can be");
  return true;
}

}  // namespace

std::vector<Target> targets_of_advice() {
  return {{"server", server_files, try_server, true, 4},
          {"prices", price_lists, try_prices, true, 4},
          {"what-if", changes, try_change}};
}

}  // namespace vtax::fuzz
