// Silent wrong numbers: are there any when the cache is damaged, files are replaced and runs are killed?
//   build/release/damaged_caches [TRIES [SECONDS [SEED]]]       (1,000 tries, or as many as the time allows)
// Each try does one thing of a kind to a small native run or to a copy of the cache that has the packages of
// the lab, lets the run come to its end, and compares its digests with those of a run that nobody disturbed.
// Prints how the tries of each kind ended. Exit code 1 when one ended well with other numbers, or did not
// end.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "bench/must.h"
#include "core/descriptor.h"
#include "core/files.h"
#include "core/subprocess.h"
#include "machine/parts/package_cache.h"
#include "record/run_reader.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Digests = std::map<std::uint64_t, std::string>;

// No apt: what is damaged beyond the lab's own means is refused, and nothing is downloaded a thousand times.
constexpr const char* kNoApt = "#!/bin/sh\nexit 100\n";

class Tries {
 public:
  Tries(fs::path folder, std::uint32_t seed) : folder_(std::move(folder)), random_(seed) {
    const auto real = must(lab::PackageCache::open());
    fs::create_directories(packages());
    for (const lab::PackageSet set : {lab::PackageSet::kernel, lab::PackageSet::qemu}) {
      const auto found = real.find(set);
      if (!found) quit("the cache holds no " + std::string(name_of(set)) + ": run vtax lab fetch");
      fs::copy(found->root, packages() / found->root.filename(),
               fs::copy_options::recursive | fs::copy_options::copy_symlinks);
      const std::string list = std::string(name_of(set)) + ".json";
      fs::copy_file(real.directory() / "packages" / list, packages() / list);
      roots_[set] = packages() / found->root.filename();
    }
    fs::create_directories(folder_ / "bin");
    for (const char* name : {"apt-get", "apt-cache"}) {
      std::ofstream(folder_ / "bin" / name) << kNoApt;
      fs::permissions(folder_ / "bin" / name, fs::perms::owner_all);
    }
    for (const auto& entry : fs::directory_iterator(roots_[lab::PackageSet::kernel] / "boot"))
      if (entry.path().filename().string().starts_with("vmlinuz-"))
        fs::copy_file(entry.path(), folder_ / "kernel");
    clean_ = expect_digests({});
    own_kernel_ = expect_digests({"--kernel", "kernel"});
  }

  struct Outcomes {
    int right = 0, right_with_a_word = 0, refused = 0, hung = 0, wrong = 0;
  };

  bool one() {
    const auto& [name, act] = kinds_[below(kinds_.size())];
    fs::remove(folder_ / "run.vtax");
    said_.clear();
    const auto began = std::chrono::steady_clock::now();
    const int code = (this->*act)();
    Outcomes& outcomes = outcomes_[name];
    std::string ended;
    if (code < 0)
      ++outcomes.hung, ended = "HUNG";
    else if (code != 0)
      ++outcomes.refused, ended = "refused";
    else if (digests() != *expected_)
      ++outcomes.wrong, ended = "WRONG";
    else if (said_.find("damaged") != std::string::npos)
      ++outcomes.right_with_a_word, ended = "right, with a word";
    else
      ++outcomes.right, ended = "right";
    fmt::print("{:>5.1f} s  {:<45} {}\n",
               std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(), name, ended);
    if (code < 0 || ended == "WRONG") fmt::print("{}\n", said_);
    std::fflush(stdout);
    restore();
    return code >= 0 && ended != "WRONG";
  }

  void print() const {
    fmt::print(
        "\n| what was done | tries | right | right, with a word | refused | hung | wrong |\n"
        "|---|---|---|---|---|---|---|\n");
    for (const auto& [name, o] : outcomes_)
      fmt::print("| {} | {} | {} | {} | {} | {} | {} |\n", name,
                 o.right + o.right_with_a_word + o.refused + o.hung + o.wrong, o.right, o.right_with_a_word,
                 o.refused, o.hung, o.wrong);
  }

 private:
  [[nodiscard]] fs::path cache() const { return folder_ / "cache"; }
  [[nodiscard]] fs::path packages() const { return cache() / "packages"; }
  std::size_t below(std::size_t most) { return random_() % most; }

  // The exit code; -1 when it did not end within `limit`.
  int run(const std::vector<std::string>& more, milliseconds limit = std::chrono::minutes(10)) {
    Command command;
    command.arguments = {VTAX_BINARY,
                         "run",
                         "first-look",
                         "--set",
                         "platform=native",
                         "--set",
                         "workload=tcp-rr",
                         "--set",
                         "transactions=20,40",
                         "--set",
                         "topology=inside",
                         "--set",
                         "offloads=on",
                         "--reps",
                         "2",
                         "--jobs",
                         "1",
                         "--out",
                         "run.vtax"};
    command.arguments.insert(command.arguments.end(), more.begin(), more.end());
    const char* path = std::getenv("PATH");
    command.environment = {"VTAX_CACHE=" + cache().string(), "PATH=" + (folder_ / "bin").string() + ":" +
                                                                 (path == nullptr ? "/usr/bin" : path)};
    command.directory = folder_;
    command.time_limit = limit;
    const Finished finished = must(run_command(command));
    said_ += finished.out + finished.err;
    return finished.timed_out ? -1 : finished.exit_code;
  }

  // Of trials that are made from different things none is right.
  Digests digests() const {
    Digests found;
    std::set<std::string> made_from;
    auto reader = RunReader::open(folder_ / "run.vtax");
    if (!reader) return found;
    static_cast<void>(reader->for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
      found[trial.index] = trial.error.empty() ? trial.digest : trial.error;
      made_from.insert(trial.provenance);
      return {};
    }));
    return made_from.size() == 1 ? found : Digests();
  }

  Digests expect_digests(const std::vector<std::string>& more) {
    fs::remove(folder_ / "run.vtax");
    if (run(more) != 0) quit("the undisturbed run failed:\n" + said_);
    Digests found = digests();
    if (found.size() != 4) quit("the undisturbed run has not all trials");
    return found;
  }

  std::vector<fs::path> files_below(const fs::path& folder) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file() && !entry.is_symlink() && entry.file_size() > 0)
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
  }

  // Keeps the file as it is for restore(), then changes it in one of some ways.
  void damage(const fs::path& file) {
    const std::string kept = must(read_text(file, std::uint64_t{1} << 31));
    kept_.emplace_back(file, kept, fs::status(file).permissions());
    const Descriptor open(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    const std::size_t way = below(10);
    if (way == 0) {
      must_be_zero(::ftruncate(open.get(), static_cast<off_t>(below(kept.size()))));
    } else if (way == 1) {
      const std::size_t place = below(kept.size());
      const std::string zeros(std::min<std::size_t>(1 + below(4096), kept.size() - place), '\0');
      must_be_zero(::pwrite(open.get(), zeros.data(), zeros.size(), static_cast<off_t>(place)) < 0 ? 1 : 0);
    } else {
      for (std::size_t flips = 1 + below(20); flips > 0; --flips) {
        const std::size_t place = below(kept.size());
        const char byte = static_cast<char>(kept[place] ^ (1 << below(8)));
        must_be_zero(::pwrite(open.get(), &byte, 1, static_cast<off_t>(place)) < 0 ? 1 : 0);
      }
    }
  }
  static void must_be_zero(int code) {
    if (code != 0) quit("cannot damage a file");
  }

  void restore() {
    for (const auto& [file, content, permissions] : kept_) {
      std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
      fs::permissions(file, permissions);
    }
    kept_.clear();
  }

  // Of the machine and the image that the run uses: of the default kernel's, not of the own one's.
  [[nodiscard]] std::vector<fs::path> machines() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(cache() / "machines"))
      if (entry.path().extension() == ".machine") found.push_back(entry.path());
    return found;
  }

  int damaged_machine() {
    expected_ = &clean_;
    for (const fs::path& machine : machines()) damage(machine);
    return run({});
  }
  int swapped_machines() {
    expected_ = &clean_;
    const auto both = machines();
    for (std::size_t i = 0; i < 2; ++i) damage_by(both[i], both[1 - i]);
    return run({});
  }
  void damage_by(const fs::path& file, const fs::path& other) {
    kept_.emplace_back(file, must(read_text(file, std::uint64_t{1} << 31)), fs::status(file).permissions());
    if (kept_.size() == 2) {
      std::ofstream(file, std::ios::binary) << std::get<1>(kept_.front());
      return;
    }
    std::ofstream(file, std::ios::binary) << must(read_text(other, std::uint64_t{1} << 31));
  }
  int damaged_image() {
    expected_ = &clean_;
    for (const auto& entry : fs::directory_iterator(cache() / "images")) {
      const auto files = files_below(entry.path());
      damage(files[below(files.size())]);
    }
    return run({});
  }
  int damaged_qemu() {
    expected_ = &clean_;
    const auto files = files_below(roots_[lab::PackageSet::qemu]);
    damage(files[below(files.size())]);
    return run({});
  }
  int damaged_kernel_package_and_no_image() {
    expected_ = &clean_;
    const auto files = files_below(roots_[lab::PackageSet::kernel]);
    damage(files[below(files.size())]);
    for (const auto& entry : fs::directory_iterator(cache() / "images")) fs::remove_all(entry.path());
    return run({});
  }
  int damaged_list_of_packages() {
    expected_ = &clean_;
    damage(packages() / (below(2) == 0 ? "kernel.json" : "qemu.json"));
    return run({});
  }
  void run_and_kill(const std::vector<std::string>& more) { run(more, milliseconds(200 + below(6000))); }
  int killed_and_resumed() {
    expected_ = &clean_;
    run_and_kill({});
    return run({"--resume"});
  }
  int killed_damaged_and_resumed() {
    expected_ = &clean_;
    run_and_kill({});
    damage(machines()[below(machines().size())]);
    return run({"--resume"});
  }
  int kernel_replaced_and_resumed() {
    expected_ = &own_kernel_;
    run_and_kill({"--kernel", "kernel"});
    const std::string kernel = must(read_text(folder_ / "kernel", std::uint64_t{1} << 30));
    kept_.emplace_back(folder_ / "kernel", kernel, fs::perms::owner_all);
    std::ofstream(folder_ / "kernel", std::ios::binary | std::ios::app) << "another build";
    return run({"--kernel", "kernel", "--resume"});
  }
  int run_file_damaged_and_resumed() {
    expected_ = &clean_;
    run_and_kill({});
    if (fs::exists(folder_ / "run.vtax") && fs::file_size(folder_ / "run.vtax") > 0) {
      damage(folder_ / "run.vtax");
      kept_.clear();
    }
    const int code = run({"--resume"});
    fs::remove(folder_ / "run.vtax-wal");
    fs::remove(folder_ / "run.vtax-shm");
    return code;
  }

  const fs::path folder_;
  std::mt19937 random_;
  std::map<lab::PackageSet, fs::path> roots_;
  std::vector<std::tuple<fs::path, std::string, fs::perms>> kept_;
  Digests clean_, own_kernel_;
  const Digests* expected_ = nullptr;
  std::string said_;
  std::map<std::string, Outcomes> outcomes_;
  const std::vector<std::pair<std::string, int (Tries::*)()>> kinds_ = {
      {"booted machines damaged", &Tries::damaged_machine},
      {"booted machines swapped", &Tries::swapped_machines},
      {"images damaged", &Tries::damaged_image},
      {"QEMU's package damaged", &Tries::damaged_qemu},
      {"the kernel's package damaged, no image", &Tries::damaged_kernel_package_and_no_image},
      {"a list of packages damaged", &Tries::damaged_list_of_packages},
      {"killed, resumed", &Tries::killed_and_resumed},
      {"killed, a machine damaged, resumed", &Tries::killed_damaged_and_resumed},
      {"killed, the own kernel replaced, resumed", &Tries::kernel_replaced_and_resumed},
      {"killed, the run file damaged, resumed", &Tries::run_file_damaged_and_resumed}};
};

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  using namespace vtax;
  const auto argument = [&](int place, long otherwise) {
    return argc > place ? std::strtol(argv[place], nullptr, 10) : otherwise;
  };
  const long tries = argument(1, 1000), seconds = argument(2, 1L << 30), seed = argument(3, 20261128);
  std::string pattern = (std::filesystem::temp_directory_path() / "vtax-damaged-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  bool good = true;
  {
    Tries all(folder, static_cast<std::uint32_t>(seed));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    for (long i = 0; i < tries && std::chrono::steady_clock::now() < end; ++i) good = all.one() && good;
    all.print();
  }
  std::filesystem::remove_all(folder);
  return good ? 0 : 1;
}
