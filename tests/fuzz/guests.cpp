#include "agent/lab_plan.h"
#include "agent/message.h"
#include "machine/guest_result.h"
#include "machine/lab/guest_messages.h"
#include "record/ledger_text.h"
#include "tests/fuzz/targets.h"

namespace vtax::fuzz {
namespace {

constexpr const char* kResult = R"({"window_virtual_ns": 118230112,
 "work": {"bytes": 8388608, "packets": 8712, "transactions": 0},
 "guests": [{"guest": "guest2", "bytes": 5, "transactions": 6, "virtual_ns": 7}],
 "devices": [{"side": "system", "domain": "guest1", "device": "eth0",
              "received": 2904, "sent": 5808, "received_bytes": 191664, "sent_bytes": 8774912}],
 "modules": [{"domain": "Domain-0", "module": "xen_netback", "section": ".text", "address": "0xffffffffc0123000"}]})";

std::vector<std::string> plans() {
  return {
      R"({"version": 1, "platform": "xen-pv", "topology": "card", "workload": "tcp-rr", "direction": "receive",
              "offloads": "off", "transactions": 500, "request_bytes": 1, "response_bytes": 2, "warmup_transactions": 50,
              "guests": 2, "guest_cpu": "together", "link_mbps": 1000, "peer_window": 65536,
              "time_limit_ns": 60000000000})"};
}

bool try_plan(std::string_view input) {
  return agent::parse_plan(input).has_value();
}

std::vector<std::string> results() {
  return {kResult};
}

bool try_result(std::string_view input) {
  const std::string json(input);
  const auto result = lab::read_guest_result(json);
  (void)lab::read_guest_error(json);
  return result.has_value();
}

std::vector<std::string> messages() {
  return {agent::frame("ready", {{"version", 1}}) + "Booting...\n" +
              agent::frame("progress", {{"step", "window"}}) +
              agent::frame("result", nlohmann::json::parse(kResult)),
          agent::frame("error", {{"what", "a"}, {"why", "b"}, {"next", "c"}})};
}

// The same in one piece and in many.
bool try_messages(std::string_view input) {
  const auto taken = [](lab::GuestMessages& from) {
    std::string all;
    while (const auto message = from.next()) all += message->type + " " + message->json + "\n";
    return all;
  };
  lab::GuestMessages whole, pieces;
  const bool is_whole_good = whole.feed(input).has_value();
  bool is_good = true;
  for (std::string_view rest = input; !rest.empty() && is_good;) {
    const std::size_t size = std::min<std::size_t>(rest.size(), 1 + static_cast<unsigned char>(rest[0]) % 64);
    is_good = pieces.feed(rest.substr(0, size)).has_value();
    rest.remove_prefix(size);
  }
  require(is_good == is_whole_good, "pieces are as good as the whole");
  const std::string all = taken(whole);
  require(taken(pieces) == all, "pieces say what the whole says");
  return is_good && !all.empty();
}

std::vector<std::string> ledgers() {
  return {ledger_text({{0, "host", Layer::kernel, Part::none, kCpuTimeKind, 12345},
                       {LedgerEntry::kUnknownCpu, "guest1", Layer::driver, Part::program, kCpuTimeKind, 7}})};
}

bool try_ledger(std::string_view input) {
  const auto ledger = read_ledger(input);
  if (!ledger) return false;
  const auto again = read_ledger(ledger_text(*ledger));
  require(again.has_value() && *again == *ledger, "a ledger that is taken comes back as it was");
  return true;
}

}  // namespace

std::vector<Target> targets_of_guests() {
  return {{"plan", plans, try_plan},
          {"guest-result", results, try_result},
          {"ledger", ledgers, try_ledger},
          {"guest-messages", messages, try_messages}};
}

}  // namespace vtax::fuzz
