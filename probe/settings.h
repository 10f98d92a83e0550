#pragma once

// The probe's settings, written by the measuring process: one line each.
//   event KIND ADDRESS      count an event of kind KIND (format.h) where a block starts at ADDRESS
//   sum NUMBER ADDRESS AMOUNT REGISTER BEGIN END
//                           add to sum NUMBER (sums.h) where a block starts at ADDRESS
//   switch ADDRESS          the hypervisor's context_switch(previous, next)
//   current ADDRESS         the function that it calls when `next` has become current
//   wake ADDRESS            its function that makes a virtual CPU runnable: keep the schedule
//   caches LINE L1I WAYS L1D WAYS L2 WAYS L3 WAYS
//                           model these caches: sizes in bytes; all decimal
//   price CODE FEMTOSECONDS time passes at prices: of an instruction of a program (0), a kernel (1), the
//                           hypervisor (2)
//   price_event KIND FEMTOSECONDS
//                           of an event that the probe counts, besides its instructions
//   price_sum NUMBER FEMTOSECONDS
//                           of one of a sum
//   price_at ADDRESS FEMTOSECONDS
//                           of each time that a block starts at ADDRESS
//   nested                  a guest that VMRUN enters is charged as a virtual CPU of its own
//   limit INSTRUCTIONS      end the emulator when this many have been executed
//   limit_ns NANOSECONDS    end it when so much virtual time has passed; both bounds are each window's, with
//                           what leads to it
//   parties COUNT           the window lasts from the first begin marker to this many end markers; without:
//   one
// ADDRESS, BEGIN and END are hexadecimal, the others decimal.

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "blocks.h"
#include "cache_model.h"
#include "format.h"
#include "sums.h"

namespace vtax::probe {

struct EntryPoint {
  Entry entry = Entry::none;
  bool behind_vmrun = false;
  std::uint32_t event = kEventKinds;  // kEventKinds: none
  std::vector<Sum> sums = {};
  std::int64_t price_fs = 0;
};

// At which time passes; femtoseconds.
struct Prices {
  static constexpr std::uint64_t kUpperHalf = 1ULL << 63, kXenBegin = 0xffff800000000000,
                                 kXenEnd = 0xffff880000000000;
  enum Code { program, kernel, hypervisor, kCodes };

  std::int64_t instruction[kCodes] = {};  // the hypervisor's 0: there is none
  std::int64_t event[kEventKinds] = {};
  std::int64_t sum[kSums] = {};
  bool on = false;

  [[nodiscard]] std::int64_t of(std::uint64_t address) const {
    if (address < kUpperHalf) return instruction[program];
    const bool is_xens = instruction[hypervisor] != 0 && address >= kXenBegin && address < kXenEnd;
    return instruction[is_xens ? hypervisor : kernel];
  }
};

struct Settings {
  std::unordered_map<std::uint64_t, EntryPoint> entries;
  std::uint64_t limit = 0;     // 0: none
  std::uint64_t limit_ns = 0;  // likewise
  std::uint64_t parties = 1;
  CacheShapes caches;
  Prices prices;
  bool nested = false;
  bool keeps_schedule = false;

  // An empty string, or what is wrong.
  std::string read(int fd) {
    std::FILE* file = fdopen(fd, "r");
    if (file == nullptr) return "cannot read the probe's settings";
    char line[256];
    std::string error;
    while (error.empty() && std::fgets(line, sizeof line, file) != nullptr) {
      std::uint64_t address = 0;
      std::uint32_t kind = 0;
      if (std::sscanf(line, "event %" SCNu32 " %" SCNx64, &kind, &address) == 2 && kind < kEventKinds)
        entries[address].event = kind;
      else if (std::strncmp(line, "sum ", 4) == 0 && read_sum(line + 4))
        continue;
      else if (std::sscanf(line, "switch %" SCNx64, &address) == 1)
        entries[address].entry = Entry::context_switch;
      else if (std::sscanf(line, "current %" SCNx64, &address) == 1)
        entries[address].entry = Entry::context_switched;
      else if (std::sscanf(line, "wake %" SCNx64, &address) == 1) {
        entries[address].entry = Entry::vcpu_wake;
        keeps_schedule = true;
      } else if (std::sscanf(line, "limit %" SCNu64, &address) == 1)
        limit = address;
      else if (std::sscanf(line, "limit_ns %" SCNu64, &address) == 1)
        limit_ns = address;
      else if (std::sscanf(line, "parties %" SCNu64, &address) == 1 && address > 0)
        parties = address;
      else if (std::strncmp(line, "caches ", 7) == 0 && read_caches(line + 7))
        continue;
      else if (read_price(line))
        continue;
      else if (std::strcmp(line, "nested\n") == 0)
        nested = true;
      else
        error = std::string("unknown line in the probe's settings: ") + line;
    }
    std::fclose(file);
    return error;
  }

 private:
  bool read_price(const char* text) {
    std::uint32_t number = 0;
    std::uint64_t address = 0;
    std::int64_t fs = 0;
    if (std::sscanf(text, "price %" SCNu32 " %" SCNd64, &number, &fs) == 2 && number < Prices::kCodes)
      prices.instruction[number] = fs;
    else if (std::sscanf(text, "price_event %" SCNu32 " %" SCNd64, &number, &fs) == 2 && number < kEventKinds)
      prices.event[number] = fs;
    else if (std::sscanf(text, "price_sum %" SCNu32 " %" SCNd64, &number, &fs) == 2 && number < kSums)
      prices.sum[number] = fs;
    else if (std::sscanf(text, "price_at %" SCNx64 " %" SCNd64, &address, &fs) == 2)
      entries[address].price_fs += fs;
    else
      return false;
    prices.on = true;
    return true;
  }

  bool read_sum(const char* text) {
    Sum sum;
    std::uint64_t address = 0;
    unsigned amount = 0;
    const int fields =
        std::sscanf(text, "%" SCNu32 " %" SCNx64 " %u %d %" SCNx64 " %" SCNx64, &sum.number, &address,
                    &amount, &sum.guest_register, &sum.caller_begin, &sum.caller_end);
    if (fields != 6 || sum.number >= kSums || amount > static_cast<unsigned>(Amount::power_of_two) ||
        sum.guest_register < 0 || sum.guest_register > 15)
      return false;
    sum.amount = static_cast<Amount>(amount);
    entries[address].sums.push_back(sum);
    return true;
  }

  bool read_caches(const char* text) {
    CacheShapes read;
    const int fields =
        std::sscanf(text,
                    "%" SCNu32 " %" SCNu64 " %" SCNu32 " %" SCNu64 " %" SCNu32 " %" SCNu64 " %" SCNu32
                    " %" SCNu64 " %" SCNu32,
                    &read.line_bytes, &read.l1i.bytes, &read.l1i.ways, &read.l1d.bytes, &read.l1d.ways,
                    &read.l2.bytes, &read.l2.ways, &read.l3.bytes, &read.l3.ways);
    bool good = fields == 9 && read.line_bytes >= 16 && (read.line_bytes & (read.line_bytes - 1)) == 0;
    for (const CacheShape& level : {read.l1i, read.l1d, read.l2, read.l3})
      good = good && level.ways > 0 && level.bytes > 0 && level.bytes <= 1U << 30 &&
             level.bytes % (std::uint64_t{read.line_bytes} * level.ways) == 0;
    if (good) caches = read;
    return good;
  }
};

}  // namespace vtax::probe
