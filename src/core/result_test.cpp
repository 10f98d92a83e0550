#include "core/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace vtax {
namespace {

TEST(Error, TextSaysWhatWhyAndNext) {
  const Error error{"cannot read study file s.toml", "line 4: unknown key 'platfrom'",
                    "did you mean 'platform'?"};
  EXPECT_EQ(error.text(),
            "cannot read study file s.toml: line 4: unknown key 'platfrom'\n  did you mean 'platform'?");
}

TEST(Error, FullDiskAndPermissionSayWhatToDo) {
  EXPECT_NE(system_error("cannot write r.vtax", ENOSPC).next.find("free some space"), std::string::npos);
  EXPECT_NE(system_error("cannot write r.vtax", EACCES).next.find("who owns it"), std::string::npos);
  EXPECT_EQ(system_error("cannot write r.vtax", EIO).code, ExitCode::io);
}

}  // namespace
}  // namespace vtax
