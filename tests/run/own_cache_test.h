#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "tests/run/vtax_process.h"

namespace vtax {

// Cases that run the built vtax on the lab's native machine, all of a suite in one cache of their own.
class OwnCacheTest : public testing::Test {
 protected:
  static void TearDownTestSuite() { cache_.reset(); }
  void SetUp() override {
#ifndef VTAX_IS_AGENT
    GTEST_SKIP() << "this build's vtax is not static, so it cannot be the guest's agent";
#endif
    NEED_LAB(PlatformId::native);
    if (!cache_) cache_ = std::make_unique<OwnCache>();
  }

  static inline std::unique_ptr<OwnCache> cache_;
};

}  // namespace vtax
