// In the place of QEMU, whose path is in the file `real` beside it: QEMU, whose machine's guest has too
// little memory to start, the first time. Static, for libraries that are loaded into QEMU have no place in
// it.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

int main(int, char** arguments) {
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::string real;
  std::getline(std::ifstream(folder / "real"), real);
  const bool starves = mkdir((folder / "starved").c_str(), 0700) == 0;
  std::string starving;
  std::vector<char*> passed;
  for (; *arguments != nullptr; ++arguments) {
    const bool are_the_kernels = !passed.empty() && std::string(passed.back()) == "-append";
    passed.push_back(*arguments);
    if (!starves || !are_the_kernels) continue;
    starving = std::string(*arguments) + " vtax.guest_args=hugepages=90";
    passed.back() = starving.data();
  }
  passed.push_back(nullptr);
  execv(real.c_str(), passed.data());
  return 127;
}
