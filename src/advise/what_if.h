#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "watch/reading.h"

// What a computer that `vtax top` has watched would be like with one more guest, or at another rate: by the
// utilisation law, from what each guest's work took of which CPUs (Denning and Buzen 1978). Work grows by the
// rate, and the host's work for guests stays on the CPUs where it was.
namespace vtax::advise {

struct Change {
  int more_guests = 0;     // each as `like`, or as all guests on average
  double times = 1;        // of the rate
  std::string guest = {};  // whose, or like which; empty: all
};

// "guests=+1", "guests=+2:web", "rate=1.5", "rate=2:web". Errors: usage.
[[nodiscard]] Result<Change> change_of(std::string_view text);

// What can be full: all CPUs together, a CPU by the host's work, a guest's virtual CPUs.
struct Limit {
  std::string name;
  double before = 0, after = 0;  // mean share of its time; 1: busy all the time
  double after_often = 0;        // what nine of ten readings stay below
  double room = 0;  // how many times the rates after the change may be until it is full; 0: no rate
};

struct WhatIf {
  std::size_t readings = 0;
  std::vector<Limit> limits;         // the fullest first
  std::vector<std::string> missing;  // what could not be seen
};

// Adds up readings, one after the other.
class WhatIfReadings {
 public:
  explicit WhatIfReadings(std::vector<Change> changes) : changes_(std::move(changes)) {}

  void add(const watch::Reading& reading);

  // Errors (usage): no reading; a guest that none of them has.
  [[nodiscard]] Result<WhatIf> take() const;

 private:
  struct Station {
    std::string name;
    double before = 0, fixed = 0, scaled = 0;  // sums over readings, of shares
    std::vector<double> after = {};
  };
  void add_station(const std::string& name, double before, double fixed, double scaled);

  std::vector<Change> changes_;
  std::vector<Station> stations_;
  std::vector<std::string> guests_, missing_;
  std::size_t readings_ = 0;
};

void write_what_if(const WhatIf& result, const std::vector<std::string>& changes, std::ostream& out);
void write_what_if_json(const WhatIf& result, std::ostream& out);

}  // namespace vtax::advise
