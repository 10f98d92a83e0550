// A fully virtualised guest of Xen: its card is a program of Domain-0, and that is charged to the driver
// domain.

#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

Trial few_transactions() {
  Trial trial;
  trial.factors = {{"platform", "xen-hvm"},  {"topology", "card"},    {"workload", "tcp-rr"},
                   {"direction", "receive"}, {"offloads", "off"},     {"transactions", "20"},
                   {"request_bytes", "1"},   {"response_bytes", "1"}, {"warmup_transactions", "10"}};
  const LabMachine& machine = LabBench::get().machine(PlatformId::xen_hvm);
  if (const auto done = machine.run(trial, quiet); !done) ADD_FAILURE() << done.error().text();
  return trial;
}

TEST(FullVirtualisation, CountsRepeatAndTheDeviceModelIsTheDriverDomains) {
  NEED_LAB(PlatformId::xen_hvm);
  const Trial first = few_transactions(), again = few_transactions();
  if (HasFailure()) return;
  EXPECT_EQ(first.digest.size(), 64U);
  EXPECT_EQ(first.digest, again.digest);
  EXPECT_EQ(first.ledger, again.ledger);

  std::map<std::string, std::uint64_t> exits;
  std::uint64_t entries = 0, uncharged = 0, device_model = 0, reasons = 0;
  for (const LedgerEntry& entry : first.ledger) {
    if (entry.kind.starts_with("vm_exits")) {
      EXPECT_EQ(entry.domain, "guest1");
      EXPECT_EQ(entry.layer, Layer::hypervisor);
      exits[entry.kind] += entry.value;
      if (entry.kind != "vm_exits") reasons += entry.value;
    }
    if (entry.kind != "instructions") continue;
    entries += entry.value;
    if (entry.layer == Layer::uncharged) uncharged += entry.value;
    if (entry.layer == Layer::driver && entry.part == Part::program) device_model += entry.value;
  }
  EXPECT_EQ(entries, first.machine_total.value);
  EXPECT_LE(uncharged * 1000, entries);
  // Each packet costs the guest accesses to the card's registers, for each of which the device model runs.
  EXPECT_GT(device_model, 20U * 10'000);
  EXPECT_EQ(reasons, exits["vm_exits"]);
  EXPECT_EQ(exits["vm_exits_other"], 0U);
  EXPECT_GE(exits["vm_exits_nested_page_fault"], 20U * 2);
}

}  // namespace
}  // namespace vtax::lab
