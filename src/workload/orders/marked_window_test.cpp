#include "workload/orders/marked_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vtax {
namespace {

using testing::HasSubstr;

// A program in this process: what it writes, and whether it reads its answers.
class Marks : public testing::Test {
 protected:
  Marks() {
    window_ = MarkedWindow::open({[this] { return act("begin "); }, [this] { return act("end "); }}).value();
    program_ = Descriptor(dup(window_->descriptor()));
    window_->start();
  }

  Result<> act(const std::string& name) {
    calls_ += name;
    if (name != failing_) return {};
    return fail(Error{"read the books", "there are none", ""});
  }

  void write_text(const std::string& text) {
    static_cast<void>(send(program_.get(), text.data(), text.size(), MSG_NOSIGNAL) > 0);
  }

  // Whether there was an answer.
  bool mark(const std::string& line) {
    write_text(line);
    char answer = 0;
    return read(program_.get(), &answer, 1) == 1 && answer == '\n';
  }

  std::string end_of_program() {
    program_.reset();
    const Result<> whole = window_->finish();
    return whole ? "" : whole.error().why;
  }

  std::string calls_, failing_;
  std::unique_ptr<MarkedWindow> window_;
  Descriptor program_;
};

TEST_F(Marks, AreAnsweredWhenTheWindowHasBegunAndEnded) {
  EXPECT_TRUE(mark("begin\n"));
  EXPECT_EQ(calls_, "begin ");
  EXPECT_TRUE(mark("end\n"));
  EXPECT_EQ(end_of_program(), "");
  EXPECT_EQ(calls_, "begin end ");
}

TEST_F(Marks, MayComeInPieces) {
  write_text("beg");
  EXPECT_TRUE(mark("in\n"));
  EXPECT_TRUE(mark("end\n"));
  EXPECT_EQ(end_of_program(), "");
}

// Who ends at once need not wait for what nobody reads.
TEST_F(Marks, TheLastAnswerNeedNotBeRead) {
  EXPECT_TRUE(mark("begin\n"));
  write_text("end\n");
  EXPECT_EQ(end_of_program(), "");
  EXPECT_EQ(calls_, "begin end ");
}

TEST_F(Marks, ThatAreMissingAreTold) {
  EXPECT_THAT(end_of_program(), HasSubstr("has marked no window"));
  EXPECT_EQ(calls_, "");
}

TEST_F(Marks, AWindowThatIsLeftOpenIsClosed) {
  EXPECT_TRUE(mark("begin\n"));
  EXPECT_THAT(end_of_program(), HasSubstr("without an 'end'"));
  EXPECT_EQ(calls_, "begin end ");
}

TEST_F(Marks, ThatNobodyCanReadTheBooksOfAreNotAnswered) {
  failing_ = "begin ";
  EXPECT_FALSE(mark("begin\n"));
  EXPECT_THAT(end_of_program(), HasSubstr("there are none"));
  EXPECT_EQ(calls_, "begin end ");
}

TEST_F(Marks, AProgramThatDoesNotWaitIsTold) {
  write_text("begin\n");
  write_text("end\n");
  EXPECT_THAT(end_of_program(), HasSubstr("before it had"));
}

TEST_F(Marks, WhatIsNoneGetsNoAnswerAndNeitherDoesWhatFollows) {
  EXPECT_FALSE(mark(std::string(100'000, 'x')));
  EXPECT_FALSE(mark("begin\n"));
  EXPECT_THAT(end_of_program(), HasSubstr("it wrote 'xxxxxxxxxxxxxxxx'"));
  EXPECT_EQ(calls_, "");
}

struct Refused {
  const char* name;
  std::vector<std::string> good;
  std::string bad;
  const char* says;
};

class RefusedMark : public Marks, public testing::WithParamInterface<Refused> {};

TEST_P(RefusedMark, IsToldAndNotAnswered) {
  for (const std::string& line : GetParam().good) EXPECT_TRUE(mark(line));
  EXPECT_FALSE(mark(GetParam().bad));
  EXPECT_THAT(end_of_program(), HasSubstr(GetParam().says));
  EXPECT_EQ(calls_, GetParam().good.empty() ? "" : "begin end ");
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedMark,
    testing::Values(Refused{"BeginTwice", {"begin\n"}, "begin\n", "'begin' twice"},
                    Refused{"EndFirst", {}, "end\n", "'end' without 'begin'"},
                    Refused{"EndTwice", {"begin\n", "end\n"}, "end\n", "'end' twice"},
                    Refused{"ASecondWindow", {"begin\n", "end\n"}, "begin\n", "'begin' after 'end'"},
                    Refused{"AnotherWord", {}, "start\n", "it wrote 'start'"},
                    Refused{"Nothing", {}, "\n", "it wrote ''"},
                    Refused{"BytesOfZero", {}, std::string("\0\0\n", 3), "it wrote '"},
                    Refused{"TwoAtOnce", {}, "begin\nend\n", "wrote on before"}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace vtax
