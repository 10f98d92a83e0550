#include "controller/program_pairs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "workload/traffic/test_pair.h"

namespace vtax::controller {
namespace {

// A partner's server and the system's client, of two systems; what they say, this test says.
class TwoPairs : public testing::Test {
 protected:
  struct Said {
    ControlChannel channel;
    EndpointClient client;
  };

  static Said endpoint(const std::string& name) {
    TestPair pair = make_test_pair();
    return {ControlChannel(std::move(pair.left), "the controller"),
            EndpointClient(ControlChannel(std::move(pair.right), name))};
  }

  TwoPairs() {
    plan_.server = "serve";
    plan_.limit_seconds = 1;
    plan_.system_initiates = true;
    bench_.add(1, {end(clients_[0]), end(servers_[0])});
    bench_.add(2, {end(clients_[1]), end(servers_[1])});
  }

  static End end(Said& said) {
    End out;
    out.client = &said.client;
    return out;
  }

  static void say(Said& said, const nlohmann::json& message) { ASSERT_TRUE(said.channel.send(message)); }

  Said clients_[2] = {endpoint("client1"), endpoint("client2")};
  Said servers_[2] = {endpoint("server1"), endpoint("server2")};
  TrialPlan plan_;
  Bench bench_;
};

const nlohmann::json kDied =
    error_message({"keep the server running", "it died", "", ExitCode::trial_failed});

// The client hears it, and its server, which is asked why.
TEST_F(TwoPairs, SayOnceOfWhatAGuestHasDied) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Descriptor(ends[1]).reset();
  const auto guests = std::make_shared<GuestEnds>();
  guests->add(Descriptor(ends[0]), [] { return Error{"guest2", "it has died", "", ExitCode::trial_failed}; });
  bench_.end_with(guests);
  const ProgramPairs pairs(plan_, bench_, {});
  const auto answer = pairs.answer_of(pairs[0], "done");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text(), "guest2: it has died");
  EXPECT_EQ(pairs.wait_for_all("begun").error().text(), "guest2: it has died");
}

TEST_F(TwoPairs, HearAnyServerThatDies) {
  const ProgramPairs pairs(plan_, bench_, {});
  say(servers_[1], kDied);
  const auto answer = pairs.answer_of(pairs[0], "done");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text(), "server2: keep the server running: it died");
  say(servers_[0], kDied);
  const auto all = pairs.wait_for_all("begun");
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().text(), "server1: keep the server running: it died");
}

TEST_F(TwoPairs, SayOfAClientWhatItsServerSaid) {
  const ProgramPairs pairs(plan_, bench_, {});
  say(clients_[0], error_message({"run x", "it failed", "", ExitCode::trial_failed}));
  say(servers_[0], kDied);
  const auto answer = pairs.answer_of(pairs[0], "done");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text(), "client1: run x: it failed; server1: keep the server running: it died");
}

TEST_F(TwoPairs, WaitForAllInWhicheverOrder) {
  const ProgramPairs pairs(plan_, bench_, {});
  say(clients_[1], {{"state", "begun"}});
  say(clients_[0], {{"state", "begun"}});
  EXPECT_TRUE(pairs.wait_for_all("begun"));
  say(clients_[1], {{"state", "done"}});
  EXPECT_TRUE(pairs.answer_of(pairs[1], "done"));
}

}  // namespace
}  // namespace vtax::controller
