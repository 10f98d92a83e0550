#include "probe/link.h"

#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <thread>

namespace vtax::probe {
namespace {

constexpr std::int64_t kEnd = 800'000, kTail = 200'000, kStep = 700;
constexpr std::uint32_t kGone = 1U << 31;  // in LinkSeat::called: look up, a machine has come to its end

struct Seen {
  std::int64_t at = 0, sent = 0;
  int from = 0, number = 0;
  auto operator<=>(const Seen&) const = default;
};

// A machine in place of QEMU's: it sleeps until a timer, then works for a while, in which it may send.
struct SteppedMachine {
  int seat = 0, sent = 0, waits = 0, timers = 0;
  bool works = true;  // otherwise it sleeps throughout
  bool sends = true;
  std::int64_t now = 0, base = 0, busy_until = 0, own_timer = 0, link_timer = -1;
  const std::atomic<bool>* one_is_gone = nullptr;
  std::mt19937 chance;
  std::unique_ptr<Link> link;
  std::vector<Seen> seen;
  std::vector<std::pair<int, std::int64_t>> sent_to;  // by number: the seat, and when
  std::vector<std::string> refused;

  [[nodiscard]] bool below(int percent) { return static_cast<int>(chance() % 100) < percent; }
};

struct Stop {};

thread_local SteppedMachine* t_machine = nullptr;

struct Packet {
  unsigned char to[6] = {}, from[6] = {};
  std::int64_t sent = 0;
  int number = 0;
};

void address(unsigned char* into, int seat) {
  std::fill(into, into + 5, static_cast<unsigned char>(2));
  into[5] = static_cast<unsigned char>(seat);
}

void send_to(int seat) {
  SteppedMachine& machine = *t_machine;
  Packet packet;
  address(packet.to, seat);
  address(packet.from, machine.seat);
  packet.sent = machine.now - machine.base;
  packet.number = machine.sent++;
  machine.sent_to.emplace_back(seat, packet.sent);
  machine.link->send(0, reinterpret_cast<const unsigned char*>(&packet), sizeof packet);
}

LinkHost host() {
  LinkHost out;
  out.now = [] { return t_machine->now; };
  out.asleep = [] { return t_machine->busy_until <= t_machine->now; };
  out.next_timer = [] { return t_machine->own_timer - t_machine->now; };
  out.set_timer = [](std::int64_t ns) { t_machine->link_timer = ns; };
  out.deliver = [](int, const unsigned char* bytes, std::size_t) {
    Packet packet;
    std::memcpy(&packet, bytes, sizeof packet);
    t_machine->seen.push_back({t_machine->now - t_machine->base, packet.sent, packet.from[5], packet.number});
    t_machine->busy_until = std::max(t_machine->busy_until, t_machine->now + 1500);
  };
  out.wait_for = [](LinkSeat& seat, std::uint32_t meeting) {
    ++t_machine->waits;
    for (std::uint32_t called = seat.called.load(); (called & ~kGone) < meeting;
         called = seat.called.load()) {
      if (*t_machine->one_is_gone) throw Stop();
      seat.called.wait(called);
    }
  };
  out.call = [](LinkSeat& seat) { seat.called.notify_all(); };
  out.refuse = [](const char* why) {
    t_machine->refused.emplace_back(why);
    throw Stop();
  };
  return out;
}

// `unrest`: how often a machine is held up by the computer.
void live(SteppedMachine& machine, int machines, int unrest) {
  t_machine = &machine;
  std::mt19937 delays(static_cast<unsigned>(machine.seat + unrest));
  machine.link->begin();
  const auto send_somewhere = [&] {
    const auto others = static_cast<unsigned>(machines - 1);
    send_to((machine.seat + 1 + static_cast<int>(machine.chance() % others)) % machines);
  };
  while (machine.now - machine.base < kEnd) {
    if (static_cast<int>(delays() % 100) < unrest) std::this_thread::yield();
    const std::int64_t timer = std::min(machine.own_timer, machine.link_timer);
    const bool asleep = machine.busy_until <= machine.now;
    machine.now = asleep ? timer : std::min(machine.now + kStep, timer);
    if (machine.now == machine.link_timer) {
      machine.link_timer = -1;
      ++machine.timers;
      // The last instruction of a round may send, and end a moment late.
      if (!asleep && machine.sends && machine.below(30)) {
        machine.now += static_cast<std::int64_t>(machine.chance() % 2);
        send_somewhere();
      }
      machine.link->on_timer();
    }
    if (machine.now >= machine.own_timer) {
      machine.own_timer = machine.now + 1 + static_cast<std::int64_t>(machine.chance() % 40'000);
      if (!machine.works) machine.own_timer += 2 * kEnd;
      if (machine.works && machine.below(50)) machine.busy_until = machine.now + 3'000;
    }
    if (machine.busy_until > machine.now && machine.sends && machine.below(20)) send_somewhere();
  }
}

struct Outcome {
  std::vector<std::vector<Seen>> seen;
  std::vector<std::vector<std::pair<int, std::int64_t>>> sent_to;
  std::vector<std::string> refused;
  std::vector<int> waits, timers;  // of each
  int meetings = 0;
};

Outcome run(int machines, std::int64_t latency, int unrest, bool one_works_alone = false) {
  const auto memory = std::make_unique<LinkMemory>();
  std::vector<std::unique_ptr<SteppedMachine>> all;
  const LinkHost hooks = host();
  std::atomic<bool> one_is_gone{false};
  for (int seat = 0; seat < machines; ++seat) {
    auto& machine = *all.emplace_back(std::make_unique<SteppedMachine>());
    machine.seat = seat;
    machine.one_is_gone = &one_is_gone;
    machine.base = machine.now = 5'000'000 * (seat + 1);  // their clocks differ
    machine.own_timer = machine.now + 1000;
    machine.chance.seed(static_cast<unsigned>(seat));
    machine.works = seat == 0 || !one_works_alone;
    machine.sends = !one_works_alone;
    machine.link = std::make_unique<Link>(hooks, *memory, seat, machines, latency);
  }
  {
    std::vector<std::jthread> threads;
    for (auto& machine : all)
      threads.emplace_back([&memory, &machine, &one_is_gone, machines, unrest] {
        try {
          live(*machine, machines, unrest);
        } catch (const Stop&) {
        }
        one_is_gone = true;
        for (LinkSeat& seat : memory->seats) {
          seat.called.fetch_or(kGone);
          seat.called.notify_all();
        }
      });
  }
  Outcome out;
  for (auto& machine : all) {
    // What came in the last stretch depends on who ended first.
    std::erase_if(machine->seen, [](const Seen& seen) { return seen.at > kEnd - kTail; });
    out.seen.push_back(machine->seen);
    out.sent_to.push_back(machine->sent_to);
    out.waits.push_back(machine->waits);
    out.timers.push_back(machine->timers);
    out.meetings = std::max(out.meetings, static_cast<int>(memory->seats[machine->seat].called & ~kGone));
    out.refused.insert(out.refused.end(), machine->refused.begin(), machine->refused.end());
  }
  return out;
}

// Or a moment late, where the round that ends there does.
auto is_at(std::int64_t time) {
  return testing::AllOf(testing::Ge(time), testing::Le(time + 1));
}

TEST(Link, DeliversEachPacketAtItsTime) {
  for (const std::int64_t latency : {3'000, 90'000}) {
    const Outcome outcome = run(2, latency, 0);
    EXPECT_THAT(outcome.refused, testing::IsEmpty());
    for (const auto& seen : outcome.seen) {
      EXPECT_GT(seen.size(), 10U);
      for (const Seen& one : seen) ASSERT_THAT(one.at, is_at(one.sent + latency));
    }
  }
}

TEST(Link, LosesNoPacket) {
  constexpr std::int64_t kLatency = 1'000;  // so short that machines work at meetings
  for (const int machines : {2, 4}) {
    const Outcome outcome = run(machines, kLatency, 0);
    EXPECT_THAT(outcome.refused, testing::IsEmpty());
    for (std::size_t from = 0; from < outcome.sent_to.size(); ++from)
      for (std::size_t number = 0; number < outcome.sent_to[from].size(); ++number) {
        const auto& [to, at] = outcome.sent_to[from][number];
        if (at + kLatency > kEnd - kTail) continue;
        const auto& seen = outcome.seen[static_cast<std::size_t>(to)];
        const bool came = std::any_of(seen.begin(), seen.end(), [&, sent = at](const Seen& one) {
          return one.from == static_cast<int>(from) && one.number == static_cast<int>(number) &&
                 one.sent == sent;
        });
        ASSERT_TRUE(came) << number << " of " << from << " to " << to << " at " << at;
      }
  }
}

TEST(Link, IsTheSameHoweverTheMachinesAreHeldUp) {
  const Outcome first = run(3, 10'000, 0);
  EXPECT_THAT(first.refused, testing::IsEmpty());
  for (const int unrest : {20, 90}) EXPECT_EQ(run(3, 10'000, unrest).seen, first.seen) << unrest;
}

TEST(Link, DoesNotMeetWhileAllSleep) {
  // At each latency they would be 800 times.
  EXPECT_LT(run(2, 1'000, 0).meetings, 500);
}

TEST(Link, LetsWhoSleepsSleepThroughMeetings) {
  const Outcome outcome = run(3, 1'000, 0, true);
  EXPECT_GT(outcome.timers.front(), 40);  // its meetings: nothing comes
  for (const std::size_t sleeper : {1U, 2U}) EXPECT_LE(outcome.waits[sleeper], 4) << sleeper;
}

TEST(Link, LeadsToWhoeverWasSeenToSend) {
  const Outcome outcome = run(4, 10'000, 0);
  for (std::size_t seat = 0; seat < outcome.seen.size(); ++seat)
    for (const Seen& one : outcome.seen[seat]) EXPECT_NE(one.from, static_cast<int>(seat));
  // By the middle everyone has sent: what one machine hears is what was sent to it, a third of all.
  std::size_t heard = 0;
  std::set<std::pair<int, int>> sent;
  for (const auto& seen : outcome.seen)
    for (const Seen& one : seen) {
      if (one.sent < kEnd / 2) continue;
      ++heard;
      sent.insert({one.from, one.number});
    }
  EXPECT_EQ(heard, sent.size());
}

}  // namespace
}  // namespace vtax::probe
