#include "profile/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "account/charging.h"

namespace vtax::profile {
namespace {

using watch::Part;
using watch::Whose;

double seconds_of(const MonitorProfile& profile, std::uint64_t samples) {
  return sampled_busy_seconds(samples, static_cast<double>(profile.period), 1e9);
}

double own_cost(const MonitorProfile& profile) {
  const auto sampling = profile.sample_cost * static_cast<std::int64_t>(profile.samples);
  return std::chrono::duration<double>(profile.own_time + sampling).count();
}

// The map must outlive what this gives.
template <class Of>
std::vector<std::pair<const Of*, std::uint64_t>> most_first(const std::map<Of, std::uint64_t>& samples) {
  std::vector<std::pair<const Of*, std::uint64_t>> all;
  for (const auto& [of, count] : samples) all.emplace_back(&of, count);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return all;
}

// Whose a process's thread is at either end of the window; what began and ended between is its parent's.
class Owners {
 public:
  explicit Owners(const HostSide& host) : host_(host) {}

  struct Owner {
    Whose whose;
    const watch::KnownGuest* guest = nullptr;
  };

  [[nodiscard]] Owner of(int process, int thread) const {
    constexpr int kMostGenerations = 64;
    for (int i = 0; i < kMostGenerations; ++i) {
      for (const auto* inventory : {&host_.after, &host_.before})
        if (inventory->processes.contains(process)) {
          const Whose whose = inventory->of(process, thread);
          const bool has_guest = whose.part == Part::own || whose.part == Part::helper;
          return {whose, has_guest && whose.guest < inventory->guests.size() ? &inventory->guests[whose.guest]
                                                                             : nullptr};
        }
      const auto parent = host_.profile.parents.find(process);
      if (parent == host_.profile.parents.end()) break;
      process = thread = parent->second;
    }
    return {};
  }

 private:
  const HostSide& host_;
};

class Merging {
 public:
  explicit Merging(const HostSide& host) : host_(host), driver_(host.reading.driver) {
    for (const watch::GuestUse& use : host.reading.guests) {
      GuestShare& share = share_of(use.name);
      share.counted_own_seconds = static_cast<double>(use.own_ns) / 1e9;
      share.counted_caused_seconds = static_cast<double>(use.caused.threads_ns) / 1e9;
      share.caused_samples = 0;
      kinds_[use.name] = use.kind;
    }
  }

  void add_guest(const GuestSide& side) {
    const auto kind = kinds_.find(side.guest);
    if (!side.profile) {
      note(fmt::format("{}: its part is missing: {}", side.guest, side.missing));
      return;
    }
    if (kind != kinds_.end() &&
        (kind->second == watch::GuestKind::container || kind->second == watch::GuestKind::uml)) {
      note(
          fmt::format("{}: what its agent says was left out: this computer's kernel runs it, and samples it "
                      "itself.",
                      side.guest));
      return;
    }
    if (kind == kinds_.end())
      note(fmt::format("{}: no guest of this computer has that name; its samples stand beside the others.",
                       side.guest));
    GuestShare& share = share_of(side.guest);
    share.by_agent = true;
    share.own_samples = 0;
    for (const Row& row : side.profile->rows) {
      if (row.idle) {
        made_.idle += row.samples;
        continue;
      }
      *share.own_samples += row.samples;
      add(*side.profile, row, side.guest, row.mode == Mode::user ? Layer::program : Layer::kernel,
          vtax::Part::none);
    }
    share.own_seconds = seconds_of(*side.profile, *share.own_samples);
    take_rest(*side.profile, side.guest);
    with_agent_.insert(side.guest);
  }

  void add_host() {
    const Owners owners(host_);
    std::set<std::string> seen_by_host;
    for (const Row& row : host_.profile.rows) {
      if (row.idle) {
        made_.idle += row.samples;
        continue;
      }
      const bool in_guest = row.mode == Mode::guest_kernel || row.mode == Mode::guest_user;
      const Owners::Owner owner = owners.of(row.process, row.thread);
      if (in_guest) {
        const std::string name = owner.guest == nullptr ? "unknown guest" : owner.guest->name;
        if (with_agent_.contains(name)) continue;
        count_own(name, row.samples);
        seen_by_host.insert(name);
        add(host_.profile, row, name, row.mode == Mode::guest_user ? Layer::program : Layer::kernel,
            vtax::Part::none);
        continue;
      }
      add_of_host(row, owner);
    }
    for (const std::string& name : seen_by_host)
      note(
          fmt::format("{}: this computer sees when its CPUs run it and no functions of it; `vtax agent` in "
                      "the guest, and --guest {}=ADDRESS here, tell them.",
                      name, name));
    take_rest(host_.profile, driver_);
  }

  Merged finish() {
    made_.seconds = std::chrono::duration<double>(host_.profile.duration).count();
    made_.period = host_.profile.period;
    made_.event = host_.profile.event;
    for (auto& [name, share] : shares_) {
      if (!share.by_agent && share.own_samples)
        share.own_seconds = seconds_of(host_.profile, *share.own_samples);
      if (share.caused_samples) share.caused_seconds = seconds_of(host_.profile, *share.caused_samples);
      made_.guests.push_back(share);
    }
    say_what_has_no_function();
    Profile& profile = made_.profile;
    profile.unit = "samples";
    profile.study = "vtax profile";
    profile.trials = 1;
    profile.title =
        made_.event == Event::cpu_clock
            ? fmt::format("cpu-clock, {:.1f} Hz, {:.1f} s", 1e9 / static_cast<double>(made_.period),
                          made_.seconds)
            : fmt::format("{}, one of {}, {:.1f} s", name(made_.event), made_.period, made_.seconds);
    for (const auto& [key, samples] : most_first(sums_)) {
      profile.total += samples;
      FunctionCost cost = key->cost;
      cost.instructions = Instructions(samples);
      profile.functions.push_back(std::move(cost));
      std::vector<Caller> callers;
      for (const auto& [image, function] : key->callers) callers.push_back({image, function});
      profile.callers.push_back(std::move(callers));
    }
    return std::move(made_);
  }

 private:
  struct Key {
    FunctionCost cost;
    std::vector<std::pair<std::string, std::string>> callers;  // the outermost first
    auto operator<=>(const Key&) const = default;
  };

  GuestShare& share_of(const std::string& name) {
    GuestShare& share = shares_[name];
    share.guest = name;
    return share;
  }
  void count_own(const std::string& name, std::uint64_t samples) {
    GuestShare& share = share_of(name);
    if (!share.by_agent) share.own_samples = share.own_samples.value_or(0) + samples;
  }
  void say_what_has_no_function() {
    if (made_.unknown == 0) return;
    const auto images = most_first(unknown_by_image_);
    constexpr std::size_t kMostNamed = 5;
    std::string text;
    for (std::size_t i = 0; i < std::min(images.size(), kMostNamed); ++i)
      text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", *images[i].first, images[i].second);
    note(fmt::format(
        "Without a function are samples in {}{}. [anonymous] and [no image] are code that a program "
        "makes at run time, which it can name by a file /tmp/perf-PID.map (of Node.js by "
        "--perf-basic-prof, of Python by -X perf).",
        text, images.size() > kMostNamed ? " and others" : ""));
  }
  void note(std::string text) { made_.notes.push_back(std::move(text)); }

  // Whoever executes it is the domain; for whom, as far as threads tell, is counted beside it.
  void add_of_host(const Row& row, const Owners::Owner& owner) {
    const bool is_kernel = row.mode == Mode::kernel;
    const auto part = is_kernel ? vtax::Part::kernel : vtax::Part::program;
    if (row.in_softirq || row.process == 0) {
      add(host_.profile, row, driver_, Layer::driver, vtax::Part::kernel);
      return;
    }
    switch (owner.whose.part) {
      case Part::own:
        if (owner.guest == nullptr) break;
        if (owner.guest->kind == watch::GuestKind::container || owner.guest->kind == watch::GuestKind::uml) {
          count_own(owner.guest->name, row.samples);
          add(host_.profile, row, owner.guest->name, is_kernel ? Layer::kernel : Layer::program,
              vtax::Part::none);
          return;
        }
        // A virtual CPU's thread outside of its guest: KVM and QEMU. What TCG emulates is the guest's own.
        if (owner.guest->kind == watch::GuestKind::qemu)
          count_own(owner.guest->name, row.samples);
        else
          count_caused(owner.guest->name, row.samples);
        add(host_.profile, row, driver_, Layer::hypervisor, vtax::Part::none);
        return;
      case Part::helper:
        if (owner.guest == nullptr) break;
        count_caused(owner.guest->name, row.samples);
        add(host_.profile, row, driver_, Layer::driver, part);
        return;
      case Part::driver:
      case Part::softirqs:
        add(host_.profile, row, driver_, Layer::driver, part);
        return;
      case Part::vtax:
      case Part::elsewhere:
        break;
    }
    add(host_.profile, row, driver_, Layer::elsewhere, vtax::Part::none);
  }
  void count_caused(const std::string& name, std::uint64_t samples) {
    GuestShare& share = share_of(name);
    share.caused_samples = share.caused_samples.value_or(0) + samples;
  }

  void add(const MonitorProfile& profile, const Row& row, const std::string& domain, Layer layer,
           vtax::Part part) {
    const Function& leaf = profile.frames[row.frames.front()];
    Key key;
    key.cost.domain = domain;
    key.cost.layer = layer;
    key.cost.part = part;
    key.cost.image = leaf.image;
    key.cost.function = leaf.name;
    for (std::size_t i = row.frames.size(); i-- > 1;) {
      const Function& caller = profile.frames[row.frames[i]];
      key.callers.emplace_back(caller.image, caller.name);
    }
    if (leaf.name == kUnknownFunction) {
      made_.unknown += row.samples;
      unknown_by_image_[leaf.image] += row.samples;
    }
    if (leaf.name.starts_with(kUnnamedFunction)) made_.unnamed += row.samples;
    sums_[std::move(key)] += row.samples;
  }

  void take_rest(const MonitorProfile& profile, const std::string& domain) {
    made_.lost += profile.lost;
    made_.own_seconds += own_cost(profile);
    for (const auto& [image, id] : profile.build_ids) made_.build_ids[domain + "/" + image] = id;
    for (const std::string& text : profile.notes) note(fmt::format("{}: {}", domain, text));
  }

  const HostSide& host_;
  std::string driver_;
  std::map<std::string, watch::GuestKind> kinds_;
  std::map<std::string, GuestShare> shares_;
  std::set<std::string> with_agent_;
  std::map<Key, std::uint64_t> sums_;
  std::map<std::string, std::uint64_t> unknown_by_image_;
  Merged made_;
};

}  // namespace

Merged merge(const HostSide& host, const std::vector<GuestSide>& guests) {
  Merging merging(host);
  for (const GuestSide& side : guests) merging.add_guest(side);
  merging.add_host();
  return merging.finish();
}

Profile by_function(const Profile& profile) {
  Profile flat;
  flat.study = profile.study;
  flat.title = profile.title;
  flat.trials = profile.trials;
  flat.total = profile.total;
  flat.unit = profile.unit;
  std::map<FunctionCost, std::uint64_t> sums;
  for (FunctionCost cost : profile.functions) {
    const std::uint64_t samples = std::exchange(cost.instructions, Instructions()).value;
    sums[std::move(cost)] += samples;
  }
  for (const auto& [cost, samples] : sums) {
    flat.functions.push_back(cost);
    flat.functions.back().instructions = Instructions(samples);
  }
  std::stable_sort(
      flat.functions.begin(), flat.functions.end(),
      [](const FunctionCost& a, const FunctionCost& b) { return a.instructions > b.instructions; });
  return flat;
}

}  // namespace vtax::profile
