#include "agent/driver_placement.h"

#include <fmt/format.h>

#include <array>

#include "agent/lab_layout.h"

namespace vtax::agent {
namespace {

constexpr std::uint64_t most_balloon_mib = 1024;

template <class T, std::size_t N>
Result<> take_choice(const JsonFields& plan, const char* key,
                     const std::array<std::pair<std::string_view, T>, N>& choices, T& into) {
  if (!plan.has(key)) return {};
  const auto text = plan.text(key);
  if (!text) return fail(text.error());
  for (const auto& [name, value] : choices) {
    if (name != *text) continue;
    into = value;
    return {};
  }
  return fail(plan.bad(fmt::format("'{}' is '{}', which is not known", key, *text)));
}

Result<> take_number(const JsonFields& plan, const char* key, std::uint64_t least, std::uint64_t most,
                     int& into) {
  if (!plan.has(key)) return {};
  const auto number = plan.number(key, least, most);
  if (!number) return fail(number.error());
  into = static_cast<int>(*number);
  return {};
}

}  // namespace

Result<DriverPlacement> driver_placement_from(const JsonFields& plan) {
  DriverPlacement out;
  Result<> good = take_choice(
      plan, "forwarding",
      std::array<std::pair<std::string_view, Forwarding>, 3>{
          {{"bridge", Forwarding::bridge}, {"route", Forwarding::route}, {"nat", Forwarding::nat}}},
      out.forwarding);
  if (good)
    good = take_choice(plan, "driver_interrupts",
                       std::array<std::pair<std::string_view, DriverInterrupts>, 4>{
                           {{"apart", DriverInterrupts::apart},
                            {"swapped", DriverInterrupts::swapped},
                            {"first", DriverInterrupts::first},
                            {"by-card", DriverInterrupts::by_card}}},
                       out.interrupts);
  if (good)
    good = take_choice(plan, "scheduler",
                       std::array<std::pair<std::string_view, Scheduler>, 4>{{{"credit2", Scheduler::credit2},
                                                                              {"credit", Scheduler::credit},
                                                                              {"rtds", Scheduler::rtds},
                                                                              {"null", Scheduler::null}}},
                       out.scheduler);
  if (good)
    good = take_choice(plan, "guest_weights",
                       std::array<std::pair<std::string_view, GuestWeights>, 2>{
                           {{"equal", GuestWeights::equal}, {"halving", GuestWeights::halving}}},
                       out.weights);
  if (good) good = take_number(plan, "driver_domains", 0, lab::most_driver_domains, out.domains);
  if (good) good = take_number(plan, "cards", 1, 2, out.cards);
  if (good) good = take_number(plan, "guest_cap_percent", 0, 100, out.cap_percent);
  if (good) good = take_number(plan, "balloon_mib", 0, most_balloon_mib, out.balloon_mib);
  if (!good) return fail(good.error());
  return out;
}

int weight_of(GuestWeights weights, int guest) {
  constexpr int usual = 256;
  return weights == GuestWeights::equal ? usual : usual >> (guest - 1);
}

}  // namespace vtax::agent
