// Puts a machine's link to others (link.h) into a running QEMU: what its network backend sends over the
// socket that is named here goes to the link, and what the link delivers is handed to that backend.
//
// What is known of QEMU: a backend `dgram` with a socket that it was given sends each packet by one send(),
// and qemu_send_packet() is how a backend passes a packet on to its card.
//
//   VTAX_LINK=MEMORY:SEAT:SEATS:LATENCY:SOCKET:SOCKET    the descriptor of LinkMemory; this machine's seat,
//   how
//                                                        many there are; ns; of network 0 and 1 the
//                                                        descriptor that its backend, network0 or network1,
//                                                        sends to

#include "link.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "link_start.h"
#include "qemu_clock.h"
#include "qemu_functions.h"

namespace {

using vtax::probe::kAllTimers;
using vtax::probe::kLinkNetworks;
using vtax::probe::kVirtualClock;
using vtax::probe::Link;
using vtax::probe::LinkHost;
using vtax::probe::LinkMemory;
using vtax::probe::LinkSeat;

constexpr int kNs = 1;       // SCALE_NS
constexpr int kSpins = 200;  // who comes to a meeting first often waits for a moment only

struct QemuNetwork {
  std::int64_t (*clock)(int) = nullptr;
  std::int64_t (*deadline)(int, int) = nullptr;
  void (*timer_init)(void*, void*, int, int, int, void (*)(void*), void*) = nullptr;
  void (*timer_set)(void*, std::int64_t) = nullptr;
  void* (*find_netdev)(const char*) = nullptr;
  long (*send_packet)(void*, const unsigned char*, int) = nullptr;
} g_network;

int g_sockets[kLinkNetworks] = {-1, -1};
void* g_backends[kLinkNetworks];
Link* g_link = nullptr;
[[noreturn]] void (*g_refuse)(const char* why) = nullptr;
alignas(16) unsigned char g_timer[256];  // a QEMUTimer, which is shorter

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
  return syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

void wait_for(LinkSeat& seat, std::uint32_t meeting) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (seat.called.load() >= meeting) return;
    __builtin_ia32_pause();
  }
  seat.waits.store(1);
  for (std::uint32_t called = seat.called.load(); called < meeting; called = seat.called.load())
    futex(seat.called, FUTEX_WAIT, called);
  seat.waits.store(0);
}

void call(LinkSeat& seat) {
  if (seat.waits.load() > 0) futex(seat.called, FUTEX_WAKE, INT32_MAX);
}

}  // namespace

namespace vtax::probe {

void prepare_link(bool (*asleep)(), void (*refuse)(const char* why)) {
  const char* const settings = getenv("VTAX_LINK");
  if (settings == nullptr) return;
  g_refuse = refuse;
  int memory = -1, seat = 0, seats = 0;
  long latency = 0;
  static_assert(kLinkNetworks == 2);
  if (sscanf(settings, "%d:%d:%d:%ld:%d:%d", &memory, &seat, &seats, &latency, &g_sockets[0],
             &g_sockets[1]) != 6 ||
      seats < 2 || seats > kMostJoined || seat < 0 || seat >= seats || latency < 1)
    refuse("VTAX_LINK is not MEMORY:SEAT:SEATS:LATENCY:SOCKET:SOCKET\n");
  find_in_qemu(g_network.clock, "qemu_clock_get_ns", refuse);
  find_in_qemu(g_network.deadline, "qemu_clock_deadline_ns_all", refuse);
  find_in_qemu(g_network.timer_init, "timer_init_full", refuse);
  find_in_qemu(g_network.timer_set, "timer_mod_ns", refuse);
  find_in_qemu(g_network.find_netdev, "qemu_find_netdev", refuse);
  find_in_qemu(g_network.send_packet, "qemu_send_packet", refuse);
  void* const shared = mmap(nullptr, sizeof(LinkMemory), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (shared == MAP_FAILED) refuse("the link's memory cannot be mapped\n");
  static LinkHost host;
  host.now = [] { return g_network.clock(kVirtualClock); };
  host.asleep = asleep;
  host.next_timer = [] { return g_network.deadline(kVirtualClock, kAllTimers); };
  host.set_timer = [](std::int64_t ns) { g_network.timer_set(g_timer, ns); };
  host.deliver = [](int network, const unsigned char* packet, std::size_t bytes) {
    g_network.send_packet(g_backends[network], packet, static_cast<int>(bytes));
  };
  host.wait_for = wait_for;
  host.call = call;
  host.refuse = refuse;
  static Link link(host, *static_cast<LinkMemory*>(shared), seat, seats, latency);
  g_link = &link;
}

void start_link() {
  static bool started = false;
  if (g_link == nullptr || started) return;
  started = true;
  constexpr const char* kNames[] = {"network0", "network1"};
  for (int network = 0; network < kLinkNetworks; ++network) {
    g_backends[network] = g_network.find_netdev(kNames[network]);
    if (g_backends[network] == nullptr) g_refuse("it lacks a network backend of the link\n");
  }
  g_network.timer_init(
      g_timer, nullptr, kVirtualClock, kNs, 0, [](void*) { g_link->on_timer(); }, nullptr);
  g_link->begin();
}

}  // namespace vtax::probe

extern "C" __attribute__((visibility("default"))) ssize_t send(int socket, const void* data, size_t bytes,
                                                               int flags) {
  static auto* const next =
      reinterpret_cast<ssize_t (*)(int, const void*, size_t, int)>(dlsym(RTLD_NEXT, "send"));
  for (int network = 0; g_link != nullptr && network < kLinkNetworks; ++network) {
    if (socket != g_sockets[network]) continue;
    g_link->send(network, static_cast<const unsigned char*>(data), bytes);
    return static_cast<ssize_t>(bytes);
  }
  return next(socket, data, bytes, flags);
}
