#pragma once

// A network between machines that advance together in virtual time: docs/design/joined-machines.md.
//
// A packet that is sent at time t arrives at t + latency. The machines meet at times that all of them compute
// alike: at a meeting each hands over what it sent since the last one, and says before which time it sends
// nothing more (now, or its next timer's if it sleeps). The next meeting is the latency after the earliest of
// these and of the arrivals: whatever is sent from now on arrives after it. So each packet is there before
// its time comes, and is delivered by a timer of the machine at exactly that time.
//
// Times are the link's, which begins when the machines go on: their own clocks differ.

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "link_memory.h"

namespace vtax::probe {

// What is asked of the machine. Times are its own, ns.
struct LinkHost {
  std::int64_t (*now)() = nullptr;
  bool (*asleep)() = nullptr;                 // every CPU is halted and nothing has woken one
  std::int64_t (*next_timer)() = nullptr;     // from now; below zero: there is none
  void (*set_timer)(std::int64_t) = nullptr;  // when on_timer() is called
  void (*deliver)(int network, const unsigned char* packet, std::size_t bytes) = nullptr;
  // Returns when that machine has come to this meeting.
  void (*wait_for)(LinkSeat& seat, std::uint32_t meeting) = nullptr;
  void (*announce)(LinkSeat& seat) = nullptr;  // own meeting has changed
  void (*refuse)(const char* why) = nullptr;   // does not return
};

class Link {
 public:
  Link(const LinkHost& host, LinkMemory& memory, int seat, int seats, std::int64_t latency_ns)
      : host_(host), memory_(memory), seat_(seat), seats_(seats), latency_(latency_ns) {}

  // The machine goes on.
  void begin() {
    base_ = host_.now();
    meeting_ = latency_;  // nothing can arrive before
    begun_ = true;
    host_.set_timer(base_ + meeting_);
  }

  void send(int network, const unsigned char* packet, std::size_t bytes) {
    if (!begun_) return;
    LinkBox& box = own().boxes[next_box()];
    const LinkPacket head{host_.now() - base_, static_cast<std::uint32_t>(bytes), network};
    const std::size_t room = LinkPacket::room(head.bytes);
    if (box.bytes + room > LinkBox::kBytes) host_.refuse("more is sent within its latency than it holds\n");
    std::memcpy(box.packets + box.bytes, &head, sizeof head);
    std::memcpy(box.packets + box.bytes + sizeof head, packet, bytes);
    box.bytes += room;
  }

  void on_timer() {
    const std::int64_t now = host_.now() - base_;
    deliver_until(now);
    while (meeting_ <= now || (host_.asleep() && next_event(now) >= meeting_)) meet(now);
    host_.set_timer(base_ + std::min(meeting_, arrival()));
  }

 private:
  static constexpr std::int64_t kNever = INT64_MAX / 4;
  // A machine that waits for nothing at all comes to a meeting all the same.
  static constexpr std::int64_t kLongestSleep = 1'000'000'000;

  struct Arrival {
    std::int64_t at = 0;
    int network = 0;
    std::size_t offset = 0, bytes = 0;  // in bytes_
  };

  LinkSeat& own() { return memory_.seats[seat_]; }
  [[nodiscard]] std::uint32_t next_box() const { return (met_ + 1) % 2; }

  [[nodiscard]] std::int64_t arrival() const {
    return next_ < arrivals_.size() ? arrivals_[next_].at : kNever;
  }

  // When this machine may do something next.
  [[nodiscard]] std::int64_t next_event(std::int64_t now) const {
    const std::int64_t timer = host_.next_timer();
    return std::min(timer < 0 ? kNever : now + timer, arrival());
  }

  void deliver_until(std::int64_t now) {
    for (; next_ < arrivals_.size() && arrivals_[next_].at <= now; ++next_)
      host_.deliver(arrivals_[next_].network, bytes_.data() + arrivals_[next_].offset,
                    arrivals_[next_].bytes);
    if (next_ < arrivals_.size()) return;
    arrivals_.clear();
    bytes_.clear();
    next_ = 0;
  }

  void meet(std::int64_t now) {
    LinkBox& mine = own().boxes[next_box()];
    mine.earliest =
        host_.asleep() ? std::min(next_event(now), meeting_ + kLongestSleep) : std::max(now, meeting_);
    ++met_;
    own().met.store(met_);
    host_.announce(own());
    std::int64_t earliest = kNever;
    const std::size_t had = arrivals_.size();
    for (int i = 0; i < seats_; ++i) {
      LinkSeat& seat = memory_.seats[i];
      if (i != seat_) host_.wait_for(seat, met_);
      const LinkBox& box = seat.boxes[met_ % 2];
      earliest = std::min({earliest, box.earliest, take(box, i)});
    }
    // Each box is in order; of packets that were sent at the same time the lower seat's are first.
    std::stable_sort(arrivals_.begin() + static_cast<std::ptrdiff_t>(had), arrivals_.end(),
                     [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
    std::inplace_merge(arrivals_.begin() + static_cast<std::ptrdiff_t>(next_),
                       arrivals_.begin() + static_cast<std::ptrdiff_t>(had), arrivals_.end(),
                       [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
    // The box of the next meeting is the one that was handed over at the last, which all have read.
    own().boxes[next_box()].bytes = 0;
    meeting_ = earliest + latency_;
  }

  // The first arrival in the box. Only what others sent, and not to a third, is for this machine.
  std::int64_t take(const LinkBox& box, int from) {
    std::int64_t first = kNever;
    for (std::size_t place = 0; place < box.bytes;) {
      LinkPacket head;
      std::memcpy(&head, box.packets + place, sizeof head);
      const unsigned char* const packet = box.packets + place + sizeof head;
      const std::int64_t at = head.sent + latency_;
      first = std::min(first, at);
      if (from != seat_ && is_for_us(packet, head.bytes, from)) {
        if (at < meeting_) host_.refuse("a packet came after its time\n");
        arrivals_.push_back({at, head.network, bytes_.size(), head.bytes});
        bytes_.insert(bytes_.end(), packet, packet + head.bytes);
      }
      place += LinkPacket::room(head.bytes);
    }
    return first;
  }

  // A switch that learns: addresses that were seen to send are at that seat, others may be anywhere.
  bool is_for_us(const unsigned char* packet, std::size_t bytes, int from) {
    if (seats_ == 2 || bytes < 2 * kAddress) return true;
    learn(packet + kAddress, from);
    const auto known = std::find_if(places_.begin(), places_.end(), [&](const Place& place) {
      return std::memcmp(place.address.data(), packet, kAddress) == 0;
    });
    return known == places_.end() || known->seat == seat_;
  }

  void learn(const unsigned char* address, int seat) {
    for (Place& place : places_) {
      if (std::memcmp(place.address.data(), address, kAddress) != 0) continue;
      place.seat = seat;
      return;
    }
    Place place;
    std::memcpy(place.address.data(), address, kAddress);
    place.seat = seat;
    places_.push_back(place);
  }

  static constexpr std::size_t kAddress = 6;  // bytes of one on Ethernet
  struct Place {
    std::array<unsigned char, kAddress> address{};
    int seat = 0;
  };

  const LinkHost& host_;
  LinkMemory& memory_;
  const int seat_, seats_;
  const std::int64_t latency_;

  bool begun_ = false;
  std::int64_t base_ = 0;          // the machine's time when the link's began
  std::int64_t meeting_ = 0;       // the next one's time
  std::uint32_t met_ = 0;          // how many there were
  std::vector<Arrival> arrivals_;  // in order; those before next_ were delivered
  std::size_t next_ = 0;
  std::vector<unsigned char> bytes_;
  std::vector<Place> places_;
};

}  // namespace vtax::probe
