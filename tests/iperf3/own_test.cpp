// vtax in both roles, and with peers that do not behave.

#include <gmock/gmock.h>
#include <sys/socket.h>

#include "tests/iperf3/iperf3_bench.h"
#include "workload/iperf3/control.h"
#include "workload/iperf3/results.h"
#include "workload/iperf3/streams.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax::iperf3 {
namespace {

using testing::HasSubstr;

Descriptor connected_to(const Serving& server) {
  const auto watchdog = Watchdog::start(seconds(5));
  auto fd = tcp_connect({"127.0.0.1", server.port}, 0, {.congestion = ""}, *watchdog);
  EXPECT_TRUE(fd);
  return fd ? std::move(*fd) : Descriptor();
}

// A client that has shown its cookie and has been asked for its parameters.
Control client_of(const Serving& server, const Cookie& cookie) {
  Control control(connected_to(server), "the server");
  EXPECT_TRUE(control.send(cookie));
  EXPECT_TRUE(control.expect(State::param_exchange, seconds(2)));
  return control;
}

void expect_service(const Serving& server) {
  const auto end = vtax_client(server.port, {"--bytes", "1M"});
  EXPECT_EQ(end.exit_code, 0) << end.out;
}

TEST(OwnIperf3, BothRolesAgreeInEveryDirection) {
  const Serving server(false, {"--json"});
  for (const Words& options : {Words{}, Words{"--reverse", "--flows", "2"}, Words{"--bidir"},
                               Words{"--discard", "-R"}, Words{"--udp", "--rate", "500M"}}) {
    const auto end = vtax_client(server.port, joined({"--bytes", "5M"}, options));
    ASSERT_EQ(end.exit_code, 0) << end.out;
    const json outcome = json_in(end.out);
    ASSERT_TRUE(outcome.is_object()) << end.out;
    if (options.size() != 0 && options[0] == "--udp") continue;
    for (const json& side : outcome["repeats"][0]["sides"]) EXPECT_EQ(side["work"]["bytes"], 5 * 1024 * 1024);
  }
}

TEST(OwnIperf3, IntervalsArePrintedAsTheyEnd) {
  const Serving server(false);
  auto client = PeerProgram::start({VTAX_PROGRAM, "workload", "iperf3-client", "127.0.0.1", "--port",
                                    std::to_string(server.port), "--duration", "3s", "--warmup", "1s"});
  ASSERT_TRUE(client);
  EXPECT_TRUE(client->says("0.0 to   1.0 s  ", seconds(20))) << client->output();
  const auto end = client->wait(seconds(30));
  EXPECT_EQ(end.exit_code, 0) << end.out;
  EXPECT_THAT(end.out, HasSubstr("2.0 to   3.0 s  "));
  EXPECT_THAT(end.out, testing::Not(HasSubstr("3.0 to   4.0 s  "))) << "the omitted time has none";
}

TEST(OwnIperf3, TheServerEndsOrderly) {
  for (const bool running : {false, true}) {
    Serving server(false);
    std::optional<PeerProgram> client;
    if (running) {
      auto started = PeerProgram::start({VTAX_PROGRAM, "workload", "iperf3-client", "127.0.0.1", "--port",
                                         std::to_string(server.port), "--duration", "20s"});
      ASSERT_TRUE(started);
      client.emplace(std::move(*started));
      std::this_thread::sleep_for(milliseconds(300));
    }
    server.program->signal(SIGINT);
    EXPECT_EQ(server.program->wait(seconds(5)).exit_code, 0);
    if (!client) continue;
    const auto end = client->wait(seconds(5));
    EXPECT_EQ(end.exit_code, 4);
    EXPECT_THAT(end.out, HasSubstr("was stopped"));
  }
  Serving once(false, {"--one-off"});
  expect_service(once);
  EXPECT_EQ(once.program->wait(seconds(5)).exit_code, 0);
}

TEST(OwnIperf3, AClientThatIsStoppedEndsBothSides) {
  const Serving server(false);
  auto client = PeerProgram::start({VTAX_PROGRAM, "workload", "iperf3-client", "127.0.0.1", "--port",
                                    std::to_string(server.port), "--duration", "20s", "--reverse"});
  ASSERT_TRUE(client);
  std::this_thread::sleep_for(milliseconds(300));
  client->signal(SIGINT);
  EXPECT_EQ(client->wait(seconds(5)).exit_code, 130);
  expect_service(server);
}

TEST(OwnIperf3, SilenceAndGarbageKeepNobodyOut) {
  const Serving server(false);
  std::vector<Descriptor> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(connected_to(server));
  const Descriptor garbage = connected_to(server), accented = connected_to(server);
  const std::string noise(5000, '\xe9');
  EXPECT_GT(send(garbage.get(), noise.data(), noise.size(), MSG_NOSIGNAL), 0);
  EXPECT_GT(send(accented.get(), noise.data(), 37, MSG_NOSIGNAL), 0);
  expect_service(server);
}

TEST(OwnIperf3, AbsurdRequestsAreRefused) {
  const Serving server(false);
  for (const char* parameters :
       {R"({"tcp":true,"time":1,"parallel":1000000})", R"({"tcp":true,"time":-1})",
        R"({"tcp":true,"time":1,"len":1e15})", R"({"time":1})", "[]", "garbage", R"({"sctp":true})"}) {
    const Control control = client_of(server, *make_cookie());
    const std::string text = parameters;
    const std::uint32_t size = htonl(static_cast<std::uint32_t>(text.size()));
    send(control.fd(), &size, sizeof size, MSG_NOSIGNAL);
    send(control.fd(), text.data(), text.size(), MSG_NOSIGNAL);
    EXPECT_THAT(control.receive_state(seconds(2)).error().why,
                HasSubstr("does not take the test's parameters"));
  }
  const Control huge = client_of(server, *make_cookie());
  const std::uint32_t size = 0xffffffff;
  send(huge.fd(), &size, sizeof size, MSG_NOSIGNAL);
  EXPECT_FALSE(huge.receive_state(seconds(2)));
  expect_service(server);
}

TEST(OwnIperf3, AClientThatStopsInTheMiddleEndsItsTestOnly) {
  const Serving server(false);
  Parameters test;
  test.time = seconds(5);
  for (const int how_far : {0, 1, 2, 3}) {
    const Cookie cookie = *make_cookie();
    const Control control = client_of(server, cookie);
    if (how_far == 0) {  // half a length
      send(control.fd(), "\0\0", 2, MSG_NOSIGNAL);
      shutdown(control.fd(), SHUT_WR);
    }
    if (how_far == 0) continue;
    ASSERT_TRUE(control.send(test.to_json()));
    ASSERT_TRUE(control.expect(State::create_streams, seconds(2)));
    if (how_far == 1) continue;
    const auto streams = connect_streams({"127.0.0.1", server.port}, test, cookie);
    ASSERT_TRUE(streams);
    ASSERT_TRUE(control.expect(State::test_start, seconds(2)));
    if (how_far == 2)  // half-closed: nothing more will be said
      shutdown(control.fd(), SHUT_WR);
    else
      EXPECT_TRUE(control.send(State::create_streams));
    EXPECT_TRUE(server.comes_to_say("a test failed"));
  }
  expect_service(server);
}

TEST(OwnIperf3, AStreamWithoutTheCookieIsNotTheTests) {
  const Serving server(false);
  Parameters test;
  test.time = seconds(5);
  const Cookie cookie = *make_cookie();
  const Control control = client_of(server, cookie);
  ASSERT_TRUE(control.send(test.to_json()));
  ASSERT_TRUE(control.expect(State::create_streams, seconds(2)));
  const auto strangers = connect_streams({"127.0.0.1", server.port}, test, *make_cookie());
  ASSERT_TRUE(strangers);
  char answer = 0;
  EXPECT_EQ(recv((*strangers)[0].socket.get(), &answer, 1, 0), 1);
  EXPECT_EQ(answer, '\xff');
  EXPECT_TRUE(connect_streams({"127.0.0.1", server.port}, test, cookie));
  EXPECT_TRUE(control.expect(State::test_start, seconds(2)));
}

TEST(OwnIperf3, AClaimOfMoreThanWasSentIsNoFigure) {
  const Serving server(false, {"--json"});
  Parameters test;
  test.time = seconds(5);
  test.reverse = true;
  const Cookie cookie = *make_cookie();
  const Control control = client_of(server, cookie);
  ASSERT_TRUE(control.send(test.to_json()));
  ASSERT_TRUE(control.expect(State::create_streams, seconds(2)));
  const auto streams = connect_streams({"127.0.0.1", server.port}, test, cookie);
  ASSERT_TRUE(streams && control.expect(State::test_start, seconds(2)) &&
              control.expect(State::test_running, seconds(2)));
  ASSERT_TRUE(control.send(State::test_end));
  ASSERT_TRUE(control.expect(State::exchange_results, seconds(2)));
  Results results;
  results.streams = {{1, 1ULL << 50, std::nullopt, 0, 0, 0, 5}};
  ASSERT_TRUE(control.send(results.to_json()));
  EXPECT_THAT(control.receive_state(seconds(5)).error().why, HasSubstr("does not take this side's results"));
  EXPECT_TRUE(server.comes_to_say("says that it received 1125899906842624 bytes"));
  EXPECT_FALSE(server.says("repeats"));
}

TEST(OwnIperf3, WrongUseSaysWhatToDo) {
  const auto wrong = [](const Words& options) { return vtax_client(1, options); };
  EXPECT_EQ(wrong({"--udp", "--write", "70000"}).exit_code, 2);
  EXPECT_EQ(wrong({"--warmup", "500ms"}).exit_code, 2);
  EXPECT_EQ(wrong({"--duration", "0"}).exit_code, 2);
  EXPECT_EQ(wrong({"--flows", "500"}).exit_code, 2);
  EXPECT_EQ(wrong({"--reverse", "--bidir"}).exit_code, 2);
  EXPECT_THAT(wrong({}).out, HasSubstr("start one there: iperf3 -s -p 1"));
  const auto server = run_program({VTAX_PROGRAM, "workload", "iperf3-server", "--bind", "192.0.2.1"});
  EXPECT_EQ(server.exit_code, 4);
}

}  // namespace
}  // namespace vtax::iperf3
