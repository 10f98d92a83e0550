#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "core/sha256.h"

namespace vtax::lab {

// A directory of programs named apt-cache, apt-get, dpkg-deb and dpkg-query, first in PATH, that serve an
// archive of text files: a package's "deb" is one line, which unpacks to the file usr/NAME. Every call is
// logged.
class FakeArchive : public testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::path(testing::TempDir()) / ("vtax-archive-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder / "bin");
    std::filesystem::create_directories(folder / "pool");
    path_before_ = std::getenv("PATH");
    if (const char* cache = std::getenv("VTAX_CACHE")) cache_before_ = cache;
    ::setenv("VTAX_CACHE", (folder / "cache").c_str(), 1);
    ::setenv("PATH", ((folder / "bin").string() + ":" + path_before_).c_str(), 1);
    ::setenv("FAKE", folder.c_str(), 1);
    // Options come first; the verb is the first argument that is neither an option nor the value of -o.
    const std::string verb =
        "echo \"$0 $*\" >> $FAKE/log\nwhile :; do case $1 in -o) shift 2;; -*) shift;; *) break;; esac; "
        "done\n";
    program("apt-cache", verb + R"(v=$1; shift
case $v in
show) for n; do [ "$n" = --no-all-versions ] || cat $FAKE/pool/$n 2>/dev/null; done;;
pkgnames) cd $FAKE/pool; ls -d $1* 2>/dev/null;;
esac)");
    program(
        "apt-get",
        verb +
            R"([ -e $FAKE/offline ] && { echo "E: Failed to fetch: Could not resolve the host" >&2; exit 100; }
shift; for p; do n=${p%%=*}; echo "content of $n" > ${n}_${p#*=}_amd64.deb; done)");
    program("dpkg-deb", "n=$(basename $2); n=${n%%_*}; mkdir -p $3/usr; cp $2 $3/usr/$n");
    program("dpkg-query", "cat $FAKE/installed 2>/dev/null");
  }
  void TearDown() override {
    ::setenv("PATH", path_before_.c_str(), 1);
    cache_before_ ? ::setenv("VTAX_CACHE", cache_before_->c_str(), 1) : ::unsetenv("VTAX_CACHE");
    std::filesystem::remove_all(folder);
  }

  void program(const std::string& name, const std::string& script) const {
    std::ofstream(folder / "bin" / name) << "#!/bin/sh\n" << script << "\n";
    ::chmod((folder / "bin" / name).c_str(), 0755);
  }
  void package(const std::string& name, const std::string& depends = "",
               const std::string& version = "1") const {
    std::ofstream out(folder / "pool" / name);
    out << "Package: " << name << "\nVersion: " << version << "\n";
    if (!depends.empty()) out << "Depends: " << depends << "\n";
    out << "Size: 4000000\nSHA256: " << sha256_hex("content of " + name + "\n") << "\n\n";
  }
  [[nodiscard]] int calls() const {
    std::ifstream log(folder / "log");
    int count = 0;
    for (std::string line; std::getline(log, line);) ++count;
    return count;
  }

  std::filesystem::path folder;

 private:
  std::string path_before_;
  std::optional<std::string> cache_before_;
};

}  // namespace vtax::lab
