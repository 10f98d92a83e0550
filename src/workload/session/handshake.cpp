#include "workload/session/handshake.h"

#include <fmt/format.h>

namespace vtax {
namespace {

constexpr std::uint64_t kProtocol = 1;
constexpr std::size_t kChallengeBytes = 16;

}  // namespace

Result<std::string> make_challenge() {
  return random_text(kChallengeBytes);
}

nlohmann::json greeting_with(const std::string& challenge) {
  return {{"vtax", kProtocol}, {"challenge", challenge}};
}

Result<std::string> challenge_of(const JsonFields& answer, const std::string& challenge,
                                 const Secret& secret) {
  const auto proof = answer.text("proof", 64);
  auto theirs = answer.text("challenge", 64);
  if (!proof) return fail(proof.error());
  if (!theirs) return theirs;
  if (!secret.proves("client", challenge, *proof)) return fail(answer.bad("it does not have the token"));
  return theirs;
}

nlohmann::json welcome_with(const std::string& their_challenge, const Secret& secret) {
  return {{"state", "welcome"}, {"proof", secret.proof("server", their_challenge)}};
}

Result<> shake_hands_as_client(ControlChannel& channel, const Secret& secret,
                               std::chrono::nanoseconds patience) {
  const auto greeting = channel.receive(patience);
  if (!greeting) return fail(greeting.error());
  if (const auto said = greeting->text("state", 32); said && *said == "full")
    return fail(greeting->bad("it serves as many sessions as it may; try again later"));
  if (const auto version = greeting->number("vtax", kProtocol, kProtocol); !version)
    return fail(greeting->bad("it is no vtax server of this version"));
  const auto theirs = greeting->text("challenge", 64);
  if (!theirs) return fail(theirs.error());
  const auto ours = random_text(kChallengeBytes);
  if (!ours) return fail(ours.error());
  if (Result<> sent = channel.send({{"proof", secret.proof("client", *theirs)}, {"challenge", *ours}}); !sent)
    return sent;
  const auto answer = channel.receive(patience);
  if (!answer) return fail(answer.error());
  const auto state = answer->text("state", 32);
  const auto proof = answer->text("proof", 64);
  if (state && *state == "refused") {
    Error error = answer->bad("it refuses this token");
    error.next =
        "give the one that the server printed when it started: --token-file FILE, or VTAX_TOKEN in the "
        "environment";
    return fail(std::move(error));
  }
  if (state && *state == "full")
    return fail(answer->bad("it serves as many sessions as it may; try again later"));
  if (!proof || !secret.proves("server", *ours, *proof))
    return fail(answer->bad("it does not have the token itself"));
  return {};
}

}  // namespace vtax
