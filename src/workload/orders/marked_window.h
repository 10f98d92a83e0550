#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax {

// The window that a program marks itself (docs/design/programs.md). The program has one end of a socket: it
// writes "begin\n" and later "end\n", and each is answered by an empty line, "\n", when the window has begun,
// or ended. Whatever else it writes is refused: it gets no answer any more, and the window is none.
class MarkedWindow {
 public:
  static constexpr std::size_t kLongestLine = 16;

  // Done by a thread of this object's: `begin` just before the answer, `end` just after the program's line.
  // `end` is called once where `begin` was, in finish() where the program did not mark it. After an error the
  // window is none.
  struct Acts {
    std::function<Result<>()> begin, end;
  };
  [[nodiscard]] static Result<std::unique_ptr<MarkedWindow>> open(Acts acts);
  MarkedWindow(const MarkedWindow&) = delete;
  MarkedWindow& operator=(const MarkedWindow&) = delete;
  ~MarkedWindow();

  // The program's end, until start().
  [[nodiscard]] int descriptor() const { return theirs_.get(); }

  // When the program has its end. From then on marks are answered, by a thread that runs where the caller
  // may.
  void start();

  // When the program has ended: whether it marked one whole window. Error (trial_failed): what it did
  // instead.
  [[nodiscard]] Result<> finish();

 private:
  enum class State { waits, begun, ended, refused };

  explicit MarkedWindow(Acts acts) : acts_(std::move(acts)) {}
  void serve();
  void obey(std::string_view line);
  void refuse(std::string why);
  [[nodiscard]] bool has_unread_answer() const;
  void stop();

  Acts acts_;
  Descriptor ours_, theirs_;
  std::thread thread_;
  State state_ = State::waits;
  bool open_ = false;  // `begin` was called, and `end` was not
  std::string why_;    // it was refused
};

}  // namespace vtax
