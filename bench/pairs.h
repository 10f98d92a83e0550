#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "workload/http/testing/peer_program.h"

// Measurements beside other programs: pairs, interleaved, both on the same two CPUs; Markdown tables. A ratio
// is vtax's value by the other's: its geometric mean over the pairs, with the 95 % confidence interval.
namespace vtax::bench {

using http::PeerProgram;
using Arguments = std::vector<std::string>;

struct Sample {
  double rate = 0;  // work per second
  double cpu = 0;   // seconds of CPU per unit of work
};

struct Pairs {
  int count = 10;
  int seconds = 2;  // of each measurement
  int server_cpu = 0, client_cpu = 0;
};

// From "[PAIRS [SECONDS]]", with the first and the last CPU that this process may use.
[[nodiscard]] Pairs read_pairs(int argc, char** argv);

// Ends the program.
[[noreturn]] void give_up(const std::string& why);

template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error().text());
  return std::move(*result);
}

// The program with its path, or the end of this one.
[[nodiscard]] std::string needed(const std::string& program);

// The first group of `pattern` in `text`, as a number.
[[nodiscard]] double number_in(const std::string& text, const std::string& pattern);

// To its end, on the client's CPU; a failure ends this program.
PeerProgram::End run(const Pairs& pairs, const Arguments& arguments);

// `rate_unit` is such that rates are readable, 1e9 for Gb/s; CPU times are given in `cpu_unit`, 1e-6 for us.
struct Units {
  std::string rate = "1/s", cpu = "us CPU/request";
  double rate_unit = 1, cpu_unit = 1e-6;
};

void heading(const std::string& what, const std::string& other, const Units& units = {});
// One row. Who is first changes with each pair.
void compare(const Pairs& pairs, const std::string& name, const std::function<Sample()>& ours,
             const std::function<Sample()>& theirs, const Units& units = {});

}  // namespace vtax::bench
