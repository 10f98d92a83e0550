#pragma once

// A network between machines that advance together in virtual time: docs/design/joined-machines.md.
//
// A packet that is sent at time t arrives at t + latency. The machines meet at times that all of them compute
// alike: at a meeting each hands over what it sent since the last one, and says before which time it sends
// nothing more (now, or its next timer's if it sleeps). The next meeting is the latency after the earliest of
// these and of the arrivals: whatever is sent from now on arrives after it. So each packet is there before
// its time comes, and is delivered by a timer of the machine at exactly that time.
//
// Who comes last to a meeting concludes it and calls those who come to the next. A machine that sleeps until
// after that, and to which nobody has sent anything, stays away: what it would say is known. It sleeps on
// until it is called.
//
// Times are the link's, which begins when the machines go on: their own clocks differ.

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <bit>
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
  // Returns when the seat was called behind this meeting or a later one.
  void (*wait_for)(LinkSeat& seat, std::uint32_t meeting) = nullptr;
  void (*call)(LinkSeat& seat) = nullptr;     // its number has changed
  void (*refuse)(const char* why) = nullptr;  // does not return
};

class Link {
 public:
  Link(const LinkHost& host, LinkMemory& memory, int seat, int seats, std::int64_t latency_ns)
      : host_(host), memory_(memory), seat_(seat), seats_(seats), latency_(latency_ns) {}

  // The machine goes on.
  void begin() {
    base_ = host_.now();
    last_.next = latency_;  // nothing can arrive before
    last_.came = last_.coming = all();
    begun_ = true;
    host_.set_timer(base_ + last_.next);
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
    while (last_.next <= now || (host_.asleep() && next_event(now) >= last_.next)) {
      meet(now);
    }
    host_.set_timer(base_ + std::min(last_.next, arrival()));
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
  [[nodiscard]] std::uint32_t next_box() const { return (last_.number + 1) % 2; }
  [[nodiscard]] std::uint32_t all() const { return (1U << seats_) - 1; }
  [[nodiscard]] static bool has(std::uint32_t seats, int seat) { return (seats >> seat & 1U) != 0; }

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

  // And whatever meetings follow from which it stays away.
  void meet(std::int64_t now) {
    own().boxes[next_box()].promise =
        host_.asleep() ? LinkPromise{next_event(now), true} : LinkPromise{std::max(now, last_.next), false};
    const std::uint32_t number = last_.number + 1;
    const auto expected = static_cast<std::uint32_t>(std::popcount(last_.coming));
    const bool is_last = memory_.present.fetch_add(1) + 1 == expected;
    if (is_last) conclude();
    if (!is_last || !has(last_.coming, seat_)) {
      host_.wait_for(own(), is_last ? number + 1 : number);
      last_ = own().minutes;
    }
    take_packets();
  }

  void conclude() {
    ++last_.number;
    last_.time = last_.next;
    last_.came = last_.coming;
    for (int i = 0; i < seats_; ++i)
      if (has(last_.came, i)) last_.promises[i] = box_of(i).promise;
    last_.coming = 0;
    for (int i = 0; i < seats_; ++i)
      if (has(last_.came, i)) note_arrivals(i);
    decide();
    memory_.present.store(0);
    for (int i = 0; i < seats_; ++i) {
      if (i == seat_ || !has(last_.coming, i)) continue;
      LinkSeat& seat = memory_.seats[i];
      seat.minutes = last_;
      seat.called.store(last_.number);
      host_.call(seat);
    }
  }

  // A packet may wake whoever has not sent it, and is read by who comes to the next meeting.
  void note_arrivals(int from) {
    for_each_packet(box_of(from), [&](const LinkPacket& head, const unsigned char*) {
      for (int i = 0; i < seats_; ++i)
        if (i != from) last_.promises[i].until = std::min(last_.promises[i].until, head.sent + latency_);
      last_.coming |= all() & ~(1U << from);
    });
  }

  // When the next meeting is, and who comes.
  void decide() {
    std::int64_t earliest = kNever;
    for (int i = 0; i < seats_; ++i) {
      const auto [until, asleep] = last_.promises[i];
      earliest = std::min(earliest, asleep ? std::min(until, last_.time + kLongestSleep) : until);
    }
    last_.next = earliest + latency_;
    for (int i = 0; i < seats_; ++i)
      if (!last_.promises[i].asleep || last_.promises[i].until < last_.next) last_.coming |= 1U << i;
    if (last_.coming == 0) last_.coming = all();
  }

  [[nodiscard]] const LinkBox& box_of(int seat) const { return memory_.seats[seat].boxes[last_.number % 2]; }

  // Those that were handed over at the last meeting.
  void take_packets() {
    const auto had = static_cast<std::ptrdiff_t>(arrivals_.size());
    for (int i = 0; i < seats_; ++i)
      if (i != seat_ && has(last_.came, i)) take(i);
    // Each box is in order; of packets that were sent at the same time the lower seat's are first.
    const auto sooner = [](const Arrival& a, const Arrival& b) { return a.at < b.at; };
    std::stable_sort(arrivals_.begin() + had, arrivals_.end(), sooner);
    std::inplace_merge(arrivals_.begin() + static_cast<std::ptrdiff_t>(next_), arrivals_.begin() + had,
                       arrivals_.end(), sooner);
    // The box of the next meeting is one that was handed over earlier, which all have read.
    own().boxes[next_box()].bytes = 0;
  }

  // Only what was not sent to a third is for this machine.
  void take(int from) {
    for_each_packet(box_of(from), [&](const LinkPacket& head, const unsigned char* packet) {
      if (!is_for_us(packet, head.bytes, from)) return;
      const std::int64_t at = head.sent + latency_;
      if (at < last_.time) host_.refuse("a packet came after its time\n");
      arrivals_.push_back({at, head.network, bytes_.size(), head.bytes});
      bytes_.insert(bytes_.end(), packet, packet + head.bytes);
    });
  }

  template <class Function>
  static void for_each_packet(const LinkBox& box, const Function& function) {
    for (std::size_t place = 0; place < box.bytes;) {
      LinkPacket head;
      std::memcpy(&head, box.packets + place, sizeof head);
      function(head, box.packets + place + sizeof head);
      place += LinkPacket::room(head.bytes);
    }
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
  LinkMinutes last_;               // of the last meeting
  std::vector<Arrival> arrivals_;  // in order; those before next_ were delivered
  std::size_t next_ = 0;
  std::vector<unsigned char> bytes_;
  std::vector<Place> places_;
};

}  // namespace vtax::probe
