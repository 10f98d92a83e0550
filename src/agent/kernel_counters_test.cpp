#include "agent/kernel_counters.h"

#include <gtest/gtest.h>

namespace vtax::agent {
namespace {

TEST(KernelCounters, NamesAndNumbersOfAProtocolArePaired) {
  KernelCounters read;
  read_protocol_counters(
      "Ip: Forwarding InReceives\nIp: 1 77\nTcp: RtoAlgorithm MaxConn InSegs OutSegs\nTcp: 1 -1 12 34\n",
      read);
  EXPECT_EQ(read["Ip.InReceives"], 77U);
  EXPECT_EQ(read["Tcp.InSegs"], 12U);
  EXPECT_EQ(read["Tcp.OutSegs"], 34U);
  EXPECT_FALSE(read.contains("Tcp.MaxConn"));
}

TEST(KernelCounters, CpusAndZonesAreAddedUp) {
  KernelCounters read;
  read_softnet("0000000a 00000000 00000001\n00000010 00000000 00000000\n", read);
  read_softirqs("   CPU0 CPU1\n  NET_TX: 9 9\n  NET_RX: 3 4\n", read);
  read_page_allocations("pgalloc_dma 1\npgalloc_normal 20\npgfree 99\n", read);
  read_wake_ups(
      "version 15\ntimestamp 1\ncpu0 0 0 5 6 7 8 9 10 11\ndomain0 3 1 1 1 1 1\ncpu1 0 0 5 6 30 8 9 10 11\n",
      read);
  read_vif_interrupts(
      "     CPU0 CPU1\n  9: 5 5 IO-APIC 9-fasteoi acpi\n 24: 12 1 xen-dyn -event vif1.0-q0-tx\n"
      " 25: 30 0 xen-dyn -event vif1.0-q0-rx\n",
      read);
  EXPECT_EQ(read["interrupts.vif"], 43U);
  EXPECT_EQ(read["softnet.processed"], 26U);
  EXPECT_EQ(read["softirqs.NET_RX"], 7U);
  EXPECT_EQ(read["vmstat.pgalloc"], 21U);
  EXPECT_EQ(read["schedstat.ttwu"], 37U);
}

}  // namespace
}  // namespace vtax::agent
