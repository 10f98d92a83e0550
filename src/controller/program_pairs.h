#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "controller/trial_plan.h"
#include "core/json_fields.h"
#include "core/result.h"
#include "platform/platform.h"

namespace vtax::controller {

// Whose server whose client asks: a system under test and its partner.
struct ProgramPair {
  std::string name;      // the system's
  End *server, *client;  // without a server both the system; the bench's
  int client_cpu = 0, server_cpu = 0;
};

// Of every system with its partner.
class ProgramPairs {
 public:
  ProgramPairs(const TrialPlan& plan, Bench& bench, const Setup& setup);

  [[nodiscard]] auto begin() const { return pairs_.begin(); }
  [[nodiscard]] auto end() const { return pairs_.end(); }
  [[nodiscard]] std::size_t size() const { return pairs_.size(); }
  [[nodiscard]] const ProgramPair& operator[](std::size_t place) const { return pairs_[place]; }

  [[nodiscard]] bool have_servers() const { return have_servers_; }
  // For each answer: beyond what the machine itself says when a program takes too long.
  [[nodiscard]] std::chrono::nanoseconds patience() const { return patience_; }

  // The client's next message, which must be of this state. It ends with an error as soon as a server, or the
  // machine of one, dies.
  [[nodiscard]] Result<JsonFields> answer_of(const ProgramPair& pair, std::string_view state) const;
  // Likewise of all clients, in whichever order they say it.
  [[nodiscard]] Result<> wait_for_all(std::string_view state) const;

 private:
  using Clients = std::vector<const EndpointClient*>;
  void watch_servers(Clients& watched) const;
  [[nodiscard]] Error why_server_died(std::size_t server) const;
  [[nodiscard]] Result<JsonFields> take(const ProgramPair& pair, std::string_view state,
                                        std::chrono::nanoseconds patience) const;

  std::vector<ProgramPair> pairs_;
  bool have_servers_ = false;
  std::chrono::nanoseconds patience_{};
};

}  // namespace vtax::controller
