#include "workload/local/linpack.h"

#include <gtest/gtest.h>

#include <cmath>

#include "workload/local/factorisation.h"
#include "workload/local/seeded.h"

namespace vtax {
namespace {

using std::chrono::milliseconds;

TEST(Linpack, ImpossibleOptionsAreUsageErrors) {
  for (const LinpackOptions& options :
       {LinpackOptions{0, Precision::single_precision, milliseconds(10), 1},
        LinpackOptions{std::uint64_t{1} << 63, Precision::double_precision, milliseconds(10), 1},
        LinpackOptions{100, Precision::single_precision, milliseconds(0), 1},
        LinpackOptions{100, Precision::single_precision, milliseconds(-5), 1}}) {
    const auto done = run_linpack(options);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ExitCode::usage);
  }
}

TEST(Linpack, SolvesTheClassicSystemAndCountsItsOperations) {
  const auto done = run_linpack({100, Precision::single_precision, milliseconds(50), 1});
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_DOUBLE_EQ(done->details.at("operations_each"), 2.0 / 3 * 1e6 + 2e4);
  EXPECT_GT(done->transactions.value, 0U);
  EXPECT_EQ(done->latency->count(), done->transactions.value);
  EXPECT_LT(done->details.at("normalised_residual"), 16);
  EXPECT_GE(done->metrics.at(1).value, done->metrics.at(0).value);
}

TEST(Linpack, SolvesAnySizeInBothPrecisions) {
  for (const std::uint64_t size : {2U, 3U, 7U, 8U, 9U, 16U, 17U, 33U, 200U, 401U, 600U}) {
    for (const Precision precision : {Precision::single_precision, Precision::double_precision}) {
      const auto done = run_linpack({size, precision, milliseconds(1), size});
      ASSERT_TRUE(done) << size << ": " << done.error().text();
    }
  }
}

template <class Real>
void product_is_right(const MatrixCode<Real>& code) {
  const std::size_t m = 205, n = 37, k = 261, ld = 300;
  std::vector<Real> a(ld * k), b(ld * n), c(ld * n);
  SplitMix random(5);
  for (auto* matrix : {&a, &b, &c})
    for (Real& value : *matrix) value = static_cast<Real>(random.below(9)) - 4;  // sums stay exact
  std::vector<Real> expected = c;
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t q = 0; q < k; ++q)
      for (std::size_t i = 0; i < m; ++i) expected[j * ld + i] -= a[q * ld + i] * b[j * ld + q];
  MatrixProduct<Real> product(code);
  product.subtract(m, n, k, a.data(), ld, b.data(), ld, c.data(), ld);
  EXPECT_EQ(c, expected) << code.instructions;
}

TEST(MatrixProduct, EveryCodeDoesTheArithmeticAndLeavesTheRest) {
  for (const auto& code : matrix_codes<float>()) product_is_right(code);
  for (const auto& code : matrix_codes<double>()) product_is_right(code);
}

TEST(Factorisation, EveryCodeSolvesAndASingularMatrixIsTold) {
  for (const auto& code : matrix_codes<double>()) {
    Factorisation<double> factorisation(code);
    const std::size_t n = 100;
    std::vector<double> a(n * n), x(n, 0);
    SplitMix random(3);
    for (double& value : a) value = random.unit() - 0.5;
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t i = 0; i < n; ++i) x[i] += a[j * n + i] * static_cast<double>(j);
    ASSERT_TRUE(factorisation.factorise(a.data(), n));
    factorisation.solve(a.data(), n, x.data());
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(x[i], static_cast<double>(i), 1e-8) << code.instructions;
    std::vector<double> zero(n * n, 0);
    EXPECT_FALSE(factorisation.factorise(zero.data(), n));
  }
}

TEST(SplitMix, TheKthValueIsKnownWithoutThoseBefore) {
  SplitMix random(42);
  for (std::uint64_t k = 0; k < 10; ++k) EXPECT_EQ(random.next(), SplitMix::nth(42, k));
}

}  // namespace
}  // namespace vtax
