#pragma once

// What joined machines share: a seat for each, in one anonymous file that all map.
// docs/design/joined-machines.md has the protocol; probe/link.h speaks it, src/machine/lab makes the file.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vtax::probe {

inline constexpr int kMostJoined = 4;

// Networks that do not hear each other, one behind each card: the work's, and the controller's.
inline constexpr int kLinkNetworks = 2;

// Before this time the machine sends nothing more, ns of the link; asleep, it does nothing at all but what a
// packet makes it do.
struct LinkPromise {
  std::int64_t until = 0;
  bool asleep = false;
};

// What came of a meeting, which all compute alike.
struct LinkMinutes {
  std::uint32_t number = 0;
  std::uint32_t came = 0, coming = 0;  // seats, as bits: to this one, to the next
  std::int64_t time = 0, next = 0;     // of this one, of the next
  LinkPromise promises[kMostJoined];
};

// Packets that a machine sent from one meeting to the next, each a LinkPacket with its bytes behind it.
// Memory that is never written to is never there.
struct LinkBox {
  static constexpr std::size_t kBytes = 32U << 20;

  LinkPromise promise;
  std::uint64_t bytes = 0;  // of `packets` in use
  unsigned char packets[kBytes];
};

struct LinkPacket {
  std::int64_t sent = 0;  // ns of the link
  std::uint32_t bytes = 0;
  std::int32_t network = 0;

  // Of one with so many bytes, in a box.
  static constexpr std::size_t room(std::uint32_t bytes) {
    return (sizeof(LinkPacket) + bytes + alignof(LinkPacket) - 1) / alignof(LinkPacket) * alignof(LinkPacket);
  }
};

// Meeting k = 1, 2, ... exchanges boxes[k % 2]: who comes to meeting k + 1 has read those of meeting k, and
// who does not was sent nothing.
struct LinkSeat {
  alignas(64) std::atomic<std::uint32_t> called{0};  // a futex: the meeting behind which it was last called
  std::atomic<std::uint32_t> waits{0};               // its machine sleeps until that changes
  LinkMinutes minutes;                               // of that meeting
  LinkBox boxes[2];
};

struct LinkMemory {
  alignas(64) std::atomic<std::uint32_t> present{0};  // who has come to the meeting
  LinkSeat seats[kMostJoined];
};

}  // namespace vtax::probe
