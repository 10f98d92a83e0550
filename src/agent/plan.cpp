#include "agent/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/lab_layout.h"
#include "core/json_fields.h"
#include "workload/local/sampler.h"

namespace vtax::agent {
namespace {

constexpr std::uint64_t least_limit_ns = 1'000'000'000;
constexpr std::uint64_t most_limit_ns = 3'600'000'000'000;
constexpr std::uint64_t most_window_bytes = 212'992;  // the kernel gives no more unless asked by force
constexpr std::uint64_t most_link_mbps = 10'000;
constexpr std::uint64_t most_delay_us = 1'000'000;
constexpr std::uint64_t datagram_buffer = 16 << 20;  // as much of it as the kernel allows

template <class T>
struct Choice {
  std::string_view name;
  T value;
};

template <class T>
Result<T> choose(const JsonFields& fields, const char* key, std::initializer_list<Choice<T>> choices) {
  const auto text = fields.text(key);
  if (!text) return fail(text.error());
  for (const Choice<T>& choice : choices) {
    if (choice.name == *text) return choice.value;
  }
  return fail(fields.bad(fmt::format("'{}' is '{}', which is not known", key, *text)));
}

template <class T>
bool take(Result<T>&& from, T& into, Error& error) {
  if (from) {
    into = *from;
  } else {
    error = from.error();
  }
  return from.has_value();
}

Result<PlatformName> platform_name(const JsonFields& fields) {
  return choose<PlatformName>(fields, "platform",
                              {{"native", PlatformName::native},
                               {"container", PlatformName::container},
                               {"xen-pv", PlatformName::xen_pv},
                               {"xen-pvh", PlatformName::xen_pvh},
                               {"xen-hvm", PlatformName::xen_hvm},
                               {"xen-hvm-pv", PlatformName::xen_hvm_pv},
                               {"kvm", PlatformName::kvm},
                               {"kvm-qemu", PlatformName::kvm_qemu}});
}

Result<Plan> parse_self_check(const JsonFields& fields) {
  const Result<> known = fields.only({"version", "platform", "workload", "work", "guest_work", "share_cpu",
                                      "queue", "time_limit_ns", "cpu_mips", "round_instructions"});
  if (!known) return fail(known.error());
  Plan plan;
  Error error;
  std::uint64_t version = 0, limit = 0;
  SelfCheck check;
  const bool good = take(fields.number("version", 1, 1), version, error) &&
                    take(platform_name(fields), plan.platform, error) &&
                    take(self_check_from(fields), check, error) &&
                    take(fields.number("time_limit_ns", least_limit_ns, most_limit_ns), limit, error);
  if (!good) return fail(std::move(error));
  if (plan.platform == PlatformName::container) return fail(fields.bad("'platform' has no self-check"));
  if (plan.platform != PlatformName::native && check.queue) return fail(fields.bad("'queue' runs natively"));
  if (plan.platform == PlatformName::native && (!check.guests.empty() || check.share_cpu))
    return fail(fields.bad("'guest_work' and 'share_cpu' need a platform with a guest"));
  plan.guests = std::max(1, static_cast<int>(check.guests.size()));
  plan.time_limit = std::chrono::nanoseconds(limit);
  plan.self_check = check;
  return plan;
}

Result<Plan> parse_programs(const JsonFields& fields) {
  const Result<> known =
      fields.only({"version", "platform", "workload", "server", "client", "marks", "time_limit_ns"});
  if (!known) return fail(known.error());
  Plan plan;
  Error error;
  std::uint64_t version = 0, limit = 0;
  Programs programs;
  const bool good = take(fields.number("version", 1, 1), version, error) &&
                    take(platform_name(fields), plan.platform, error) &&
                    take(programs_from(fields), programs, error) &&
                    take(fields.number("time_limit_ns", least_limit_ns, most_limit_ns), limit, error);
  if (!good) return fail(std::move(error));
  if (plan.platform != PlatformName::native) return fail(fields.bad("'programs' run natively"));
  plan.time_limit = std::chrono::nanoseconds(limit);
  plan.programs = std::move(programs);
  return plan;
}

// Every plan of work may have these, besides its own.
Result<> known_fields(const JsonFields& fields, std::vector<std::string_view> own) {
  constexpr std::array<std::string_view, 25> common = {"version",
                                                       "platform",
                                                       "topology",
                                                       "workload",
                                                       "offloads",
                                                       "guests",
                                                       "loads",
                                                       "guest_cpu",
                                                       "softload_percent",
                                                       "system_window",
                                                       "peer_window",
                                                       "link_mbps",
                                                       "forwarding",
                                                       "cards",
                                                       "driver_domains",
                                                       "driver_interrupts",
                                                       "scheduler",
                                                       "guest_weights",
                                                       "guest_cap_percent",
                                                       "balloon_mib",
                                                       "sampling_hz",
                                                       "cpu_mips",            // the emulator's
                                                       "round_instructions",  // likewise
                                                       "delay_us",
                                                       "time_limit_ns"};
  own.insert(own.end(), common.begin(), common.end());
  return fields.only(own);
}

// What a plan may leave out: guests and where they are, what stands beside the work.
Result<> take_placement(const JsonFields& fields, Plan& plan) {
  Error error;
  std::uint64_t guests = 1, softload = 0, megabits = 0, sampling = 0;
  const auto number = [&](const char* key, std::uint64_t least, std::uint64_t most, std::uint64_t& into) {
    return !fields.has(key) || take(fields.number(key, least, most), into, error);
  };
  const bool good =
      number("guests", 1, lab::most_guests, guests) && number("softload_percent", 0, 100, softload) &&
      number("sampling_hz", 0, most_sampling_hz, sampling) &&
      number("system_window", 0, most_window_bytes, plan.system_window) &&
      number("peer_window", 0, most_window_bytes, plan.peer_window) &&
      number("link_mbps", 0, most_link_mbps, megabits) &&
      (!fields.has("loads") ||
       take(
           choose<Loads>(fields, "loads",
                         {{"equal", Loads::equal}, {"halving", Loads::halving}, {"opposed", Loads::opposed}}),
           plan.loads, error)) &&
      (!fields.has("guest_cpu") ||
       take(choose<GuestCpu>(
                fields, "guest_cpu",
                {{"own", GuestCpu::own}, {"together", GuestCpu::together}, {"driver", GuestCpu::driver}}),
            plan.guest_cpu, error));
  if (!good) return fail(std::move(error));
  plan.guests = static_cast<int>(guests);
  plan.softload_percent = static_cast<int>(softload);
  plan.sampling_hz = static_cast<unsigned>(sampling);
  const auto driver = driver_placement_from(fields);
  if (!driver) return fail(driver.error());
  plan.driver = *driver;
  const bool has_domains = plan.platform == PlatformName::xen_pv || plan.platform == PlatformName::xen_pvh;
  if (plan.driver.domains > 0 &&
      (!has_domains || plan.topology != Topology::card || plan.driver.forwarding != Forwarding::bridge))
    return fail(fields.bad("'driver_domains' are those of xen-pv and xen-pvh, with cards and bridges"));
  if (plan.driver.domains > 0 && plan.guests + plan.driver.domains > lab::most_guests)
    return fail(fields.bad("'guests' and 'driver_domains' are more domains than the probe tells apart"));
  if (plan.driver.domains > 0 && plan.driver.cards != plan.driver.domains)
    return fail(fields.bad("each of 'driver_domains' has one of the 'cards'"));
  plan.link_bits_per_second = megabits * 1'000'000;
  if (megabits != 0 && plan.topology == Topology::inside)
    return fail(fields.bad("'link_mbps' needs the topology 'card': inside one machine there is no link"));
  return {};
}

Result<> take_delay(const JsonFields& fields, Plan& plan) {
  if (!fields.has("delay_us")) return {};
  const auto delay = fields.number("delay_us", 0, most_delay_us);
  if (!delay) return fail(delay.error());
  plan.delay = std::chrono::microseconds(*delay);
  return {};
}

// A local workload's plan has the placement, but nothing of the traffic.
Result<Plan> parse_local(const JsonFields& fields) {
  const Result<> known =
      known_fields(fields, {"array_bytes", "rounds", "size", "systems", "precision", "iterations", "bytes",
                            "block_bytes", "operation", "store", "pattern", "direct", "compiles", "source"});
  if (!known) return fail(known.error());
  Plan plan;
  Error error;
  std::uint64_t version = 0, limit = 0;
  FixedWork work;
  const bool good =
      take(fields.number("version", 1, 1), version, error) &&
      take(platform_name(fields), plan.platform, error) &&
      take(choose<Topology>(fields, "topology", {{"inside", Topology::inside}, {"card", Topology::card}}),
           plan.topology, error) &&
      take(fields.boolean("offloads"), plan.offloads, error) &&
      take(FixedWork::from(fields, "workload"), work, error) &&
      take(fields.number("time_limit_ns", least_limit_ns, most_limit_ns), limit, error);
  if (!good) return fail(std::move(error));
  if (Result<> placed = take_placement(fields, plan); !placed) return fail(placed.error());
  if (Result<> delayed = take_delay(fields, plan); !delayed) return fail(delayed.error());
  plan.time_limit = std::chrono::nanoseconds(limit);
  plan.local = work;
  return plan;
}

// A web server's plan has the placement, and direction.
Result<Plan> parse_http(const JsonFields& fields) {
  const Result<> known =
      known_fields(fields, {"direction", "requests", "connections", "requests_per_connection", "file_bytes",
                            "files", "connections_per_second", "warmup_requests"});
  if (!known) return fail(known.error());
  Plan plan;
  Error error;
  std::uint64_t version = 0, limit = 0;
  HttpWork work;
  const bool good =
      take(fields.number("version", 1, 1), version, error) &&
      take(platform_name(fields), plan.platform, error) &&
      take(choose<Topology>(fields, "topology", {{"inside", Topology::inside}, {"card", Topology::card}}),
           plan.topology, error) &&
      take(choose<bool>(fields, "direction", {{"send", true}, {"receive", false}}), plan.system_initiates,
           error) &&
      take(fields.boolean("offloads"), plan.offloads, error) && take(HttpWork::from(fields), work, error) &&
      take(fields.number("warmup_requests", 0, HttpWork::most_requests), plan.http_warmup, error) &&
      take(fields.number("time_limit_ns", least_limit_ns, most_limit_ns), limit, error);
  if (!good) return fail(std::move(error));
  if (Result<> placed = take_placement(fields, plan); !placed) return fail(placed.error());
  if (plan.system_window != 0 || plan.peer_window != 0)
    return fail(fields.bad("'system_window' and 'peer_window' are not part of the workload 'http'"));
  if (Result<> delayed = take_delay(fields, plan); !delayed) return fail(delayed.error());
  plan.time_limit = std::chrono::nanoseconds(limit);
  plan.http = work;
  return plan;
}

}  // namespace

Order order_of_guest(const Order& first, Loads loads, int guest) {
  Order order = first;
  if (loads != Loads::halving || expected(first) == Done{}) return order;
  if (is_stream(order.kind)) {
    order.bytes.value = std::max<std::uint64_t>(1, order.bytes.value >> (guest - 1));
  } else {
    order.transactions.value = std::max<std::uint64_t>(1, order.transactions.value >> (guest - 1));
  }
  return order;
}

bool guest_initiates(const Plan& plan, int guest) {
  return plan.system_initiates != (plan.loads == Loads::opposed && guest % 2 == 0);
}

Result<Plan> parse_plan(std::string_view json) {
  const auto fields = JsonFields::parse("read the plan", json);
  if (!fields) return fail(fields.error());
  if (const auto workload = fields->text("workload"); workload && *workload == "self-check")
    return parse_self_check(*fields);
  if (const auto workload = fields->text("workload"); workload && is_fixed_work(*workload))
    return parse_local(*fields);
  if (const auto workload = fields->text("workload"); workload && *workload == "http")
    return parse_http(*fields);
  if (const auto workload = fields->text("workload"); workload && *workload == "programs")
    return parse_programs(*fields);
  const Result<> known = known_fields(
      *fields, {"direction", "bytes", "write_bytes", "transactions", "request_bytes", "response_bytes",
                "warmup_bytes", "warmup_transactions", "rate_mbps", "books", "counters"});
  if (!known) return fail(known.error());

  Plan plan;
  Error error;
  std::uint64_t version = 0, limit = 0;
  Order& window = plan.window;
  bool good =
      take(fields->number("version", 1, 1), version, error) &&
      take(platform_name(*fields), plan.platform, error) &&
      take(choose<Topology>(*fields, "topology", {{"inside", Topology::inside}, {"card", Topology::card}}),
           plan.topology, error) &&
      take(choose<bool>(*fields, "direction", {{"send", true}, {"receive", false}}), plan.system_initiates,
           error) &&
      take(work_kind(*fields, "workload"), window.kind, error) &&
      take(fields->boolean("offloads"), plan.offloads, error) &&
      take(fields->number("time_limit_ns", least_limit_ns, most_limit_ns), limit, error);
  if (!good) return fail(std::move(error));
  plan.time_limit = std::chrono::nanoseconds(limit);
  if (Result<> delayed = take_delay(*fields, plan); !delayed) return fail(delayed.error());
  if (Result<> placed = take_placement(*fields, plan); !placed) return fail(placed.error());
  if (fields->has("books")) {
    if (!take(fields->boolean("books"), plan.books, error)) return fail(std::move(error));
    if (plan.books && plan.platform != PlatformName::xen_pv && plan.platform != PlatformName::xen_pvh)
      return fail(fields->bad("'books' are Domain-0's and Xen's"));
  }
  if (fields->has("counters")) {
    if (!take(fields->boolean("counters"), plan.counters, error)) return fail(std::move(error));
    if (plan.counters && plan.books) return fail(fields->bad("'counters' cannot stand beside 'books'"));
  }

  plan.warmup.kind = window.kind;
  if (is_stream(window.kind)) {
    good = take(fields->number("bytes", 1, Order::most_bytes), window.bytes.value, error) &&
           take(fields->number("write_bytes", 1, Order::most_write_bytes), window.write_bytes, error) &&
           take(fields->number("warmup_bytes", 0, Order::most_bytes), plan.warmup.bytes.value, error);
    plan.warmup.write_bytes = window.write_bytes;
  } else {
    good =
        take(fields->number("transactions", 1, Order::most_transactions), window.transactions.value, error) &&
        take(fields->number("request_bytes", 1, Order::most_message_bytes), window.request_bytes, error) &&
        take(fields->number("response_bytes", 1, Order::most_message_bytes), window.response_bytes, error) &&
        take(fields->number("warmup_transactions", 0, Order::most_transactions),
             plan.warmup.transactions.value, error);
    plan.warmup.request_bytes = window.request_bytes;
    plan.warmup.response_bytes = window.response_bytes;
  }
  if (!good) return fail(std::move(error));
  if (window.kind == WorkKind::udp_stream) {
    std::uint64_t megabits = 0;
    if (!take(fields->number("rate_mbps", 0, 100'000), megabits, error)) return fail(std::move(error));
    for (Order* order : {&window, &plan.warmup}) {
      order->bits_per_second = megabits * 1'000'000;
      order->batch = plan.offloads;
      order->sockets.receive_buffer = datagram_buffer;
    }
  }
  for (const Order* order : {&window, &plan.warmup}) {
    if (expected(*order) == Done{}) continue;  // no warm-up
    if (Result<> possible = order->check(); !possible) return fail(fields->bad(possible.error().why));
  }
  return plan;
}

}  // namespace vtax::agent
