#include <sys/socket.h>
#include <unistd.h>

#include <sstream>

#include "machine/parts/rooted_folder.h"
#include "tests/fuzz/targets.h"
#include "workload/orders/marked_window.h"

namespace vtax::fuzz {
namespace {

namespace fs = std::filesystem;

// A program that writes the input, line by line, and waits for each line's answer. A window that has begun
// ends once, whatever the program does.
bool try_marks(std::string_view input) {
  int begun = 0, ended = 0;
  const auto counts = [](int& which) {
    return [&which]() -> Result<> {
      ++which;
      return {};
    };
  };
  auto window = MarkedWindow::open({counts(begun), counts(ended)});
  require(window.has_value(), "a window can be opened");
  Descriptor program(dup((*window)->descriptor()));
  (*window)->start();
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size() - 1) + 1;
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(end);
    if (send(program.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) break;
    char answer = 0;
    if (line.back() == '\n' && read(program.get(), &answer, 1) != 1) break;
  }
  program.reset();
  const bool whole = (*window)->finish().has_value();
  require(begun == ended && begun <= 1, "a window that has begun has ended, once");
  require(!whole || begun == 1, "a whole window has begun");
  return whole;
}

std::vector<std::string> marks() {
  return {"begin\nend\n"};
}

// Each line of the input is something to be written: "d PATH" a folder, "f PATH" a file, "l PATH TARGET" a
// link.
bool try_root(std::string_view input) {
  const fs::path around = work_folder() / "rooted", outside = around / "outside";
  std::error_code ignored;
  fs::remove_all(around, ignored);
  fs::create_directories(outside);
  bool all = true;
  {
    auto root = lab::RootedFolder::open(around / "root", geteuid());
    require(root.has_value(), "a root can be made");
    std::istringstream lines{std::string(input)};
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string what, path, target;
      words >> what >> path >> target;
      if (path.empty()) continue;
      const Result<> done = what == "d"   ? root->directory(path)
                            : what == "l" ? root->symlink(path, target)
                                          : root->file(path, {'x'});
      all = all && done.has_value();
    }
  }
  require(fs::is_empty(outside), "nothing is written outside");
  std::size_t beside = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(around)) ++beside;
  require(beside == 2, "nothing is made beside the root");
  return all;
}

std::vector<std::string> roots() {
  return {"d a/b\nf a/b/c\nl a/l ../../outside\nf a/l/e\nl x /a\nf x/y\n",
          "l out " + (work_folder() / "rooted" / "outside").string() + "\nf out/f\nd out/d/e\n"};
}

}  // namespace

std::vector<Target> targets_of_programs() {
  return {{"marked-window", marks, try_marks, true, 20}, {"program-root", roots, try_root, true, 60}};
}

}  // namespace vtax::fuzz
