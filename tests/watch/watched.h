#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "watch/watch.h"

// What the tests of Watch make to be watched, and what each of its readings has to hold.
namespace vtax::watch {

using std::chrono::milliseconds;

// Of this process's CPU time.
void burn(milliseconds time);

// A control group as LXC would make it; it goes with the object.
class Group {
 public:
  explicit Group(const std::string& name);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();
  [[nodiscard]] bool made() const { return !folder_.empty(); }
  [[nodiscard]] bool take(int process) const;
  bool rename(const std::string& name);

 private:
  std::filesystem::path folder_;
};

// A process that does something until it is killed; it is, with the object.
class Child {
 public:
  explicit Child(const std::function<void()>& work, const Group* in = nullptr);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }
  void end();
  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] std::uint64_t busy_ns() const;

 private:
  pid_t id_ = 0;
  bool ready_ = false;
};

// A guest that is busy, as a process that says it is QEMU. The name lives on in the child.
[[nodiscard]] std::function<void()> busy_machine(const std::string& name);

// A name that no other run of the tests has.
[[nodiscard]] std::string unique(const char* name);

// Other guests of this computer come and go, too.
[[nodiscard]] bool is_among(const std::vector<std::string>& names, const std::string& name);

// Nothing where the reading has none of that name.
[[nodiscard]] const GuestUse* guest(const Reading& reading, const std::string& name);

// A reading, which is tested to add up.
[[nodiscard]] Reading read(Watch& watch);

// A reading of what a child did meanwhile, and what the kernel says of that: it is asked before and behind
// each look, between which the child may run on.
struct Observed {
  Reading reading;
  std::uint64_t least = 0, most = 0;
};
[[nodiscard]] Observed observe(Watch& watch, const Child& child, milliseconds time);

// Within 1 % of it. What the machine below takes is known in ticks alone, and not from whom: where it took
// some, half a tick of each CPU and all of it besides.
void expect_time(std::uint64_t says, const Observed& observed);

}  // namespace vtax::watch
