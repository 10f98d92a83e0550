#include "workload/traffic/guest_ends.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "workload/traffic/endpoint_client.h"
#include "workload/traffic/test_pair.h"

namespace vtax {
namespace {

using std::chrono::milliseconds;

// Three guests, each of which lives as long as its end of a pipe. The second cannot be heard.
class ThreeGuests : public testing::Test {
 protected:
  ThreeGuests() {
    for (int guest = 1; guest <= 3; ++guest) {
      int ends[2];
      EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
      Descriptor sign(ends[0]);
      lives_[guest - 1] = Descriptor(ends[1]);
      if (guest == 2) sign.reset();
      ends_->add(std::move(sign), [guest] {
        return Error{"guest" + std::to_string(guest), "it has died", "", ExitCode::trial_failed};
      });
    }
  }

  Descriptor lives_[3];
  std::shared_ptr<GuestEnds> ends_ = std::make_shared<GuestEnds>();
};

TEST_F(ThreeGuests, AreSaidByNameWhenOneDies) {
  lives_[1].reset();
  EXPECT_FALSE(ends_->error(milliseconds(50)));
  lives_[2].reset();
  ASSERT_TRUE(ends_->error());
  EXPECT_EQ(ends_->error()->text(), "guest3: it has died");
}

// As the peer of a stream, whose guest says nothing any more.
TEST_F(ThreeGuests, EndWhoeverWaitsForTheirPartner) {
  TestPair pair = make_test_pair();
  EndpointClient peer(ControlChannel(std::move(pair.right), "the peer"));
  peer.end_with(ends_);
  std::thread death([&] {
    std::this_thread::sleep_for(milliseconds(50));
    lives_[0].reset();
  });
  const auto answer = peer.wait_for("done", milliseconds(20'000));
  death.join();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text(), "guest1: it has died");
}

// Its network goes first, and the peer's error is of that.
TEST_F(ThreeGuests, AreTheCauseOfWhatTheirPartnerSuffers) {
  TestPair pair = make_test_pair();
  ControlChannel there(std::move(pair.left), "the controller");
  EndpointClient peer(ControlChannel(std::move(pair.right), "the peer"));
  peer.end_with(ends_);
  const Error unreachable{"send", "no route to host", "", ExitCode::trial_failed};
  ASSERT_TRUE(there.send(error_message(unreachable)));
  EXPECT_EQ(peer.wait_for("done", milliseconds(1000)).error().text(), "the peer: send: no route to host");
  ASSERT_TRUE(there.send(error_message(unreachable)));
  std::thread death([&] {
    std::this_thread::sleep_for(milliseconds(20));
    lives_[0].reset();
  });
  EXPECT_EQ(peer.wait_for("done", milliseconds(1000)).error().text(), "guest1: it has died");
  death.join();
}

TEST(GuestEnds, OfNobodyAreNotHeard) {
  const GuestEnds nobody;
  EXPECT_LT(nobody.descriptor(), 0);
  EXPECT_FALSE(nobody.error());
}

}  // namespace
}  // namespace vtax
