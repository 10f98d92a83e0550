#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace vtax {

// The code that all of LINPACK's arithmetic ends in, for one kind of CPU. Matrices are by columns.
template <class Real>
struct MatrixCode {
  std::string_view instructions;  // "avx512", "avx2", "sse2"
  std::size_t rows, columns;      // of a tile of the product
  // c(rows x columns, ld) -= a b: a is packed `rows` elements a step, b `columns` a step, `steps` of them.
  void (*tile)(std::size_t steps, const Real* a, const Real* b, Real* c, std::size_t ld);
  // Y -= a X for one column pair: y(n) -= factor x(n).
  void (*subtract)(std::size_t n, Real factor, const Real* x, Real* y);
  // Where the largest magnitude is.
  std::size_t (*largest)(std::size_t n, const Real* x);
  // b(8 x n, ld) = inverse(L) b, L 8 x 8 with a unit diagonal.
  void (*solve8)(std::size_t n, const Real* l, std::size_t ldl, Real* b, std::size_t ldb);
};

// What this CPU can do, the widest first; there is always one.
template <class Real>
[[nodiscard]] std::vector<MatrixCode<Real>> matrix_codes();

extern template std::vector<MatrixCode<float>> matrix_codes<float>();
extern template std::vector<MatrixCode<double>> matrix_codes<double>();

// c(m x n) -= a(m x k) b(k x n) by tiles from packed copies (K. Goto, R. van de Geijn, "Anatomy of
// high-performance matrix multiplication", 2008). Stops early when the process is interrupted.
template <class Real>
class MatrixProduct {
 public:
  explicit MatrixProduct(const MatrixCode<Real>& code);

  void subtract(std::size_t m, std::size_t n, std::size_t k, const Real* a, std::size_t lda, const Real* b,
                std::size_t ldb, Real* c, std::size_t ldc);
  [[nodiscard]] const MatrixCode<Real>& code() const { return code_; }

 private:
  void pack_left(std::size_t m, std::size_t k, const Real* a, std::size_t lda);
  void pack_right(std::size_t n, std::size_t k, const Real* b, std::size_t ldb);
  void multiply_packed(std::size_t m, std::size_t n, std::size_t k, Real* c, std::size_t ldc);

  MatrixCode<Real> code_;
  std::vector<Real> left_store_, right_store_;
  Real *left_, *right_;  // at a cache line
};

extern template class MatrixProduct<float>;
extern template class MatrixProduct<double>;

}  // namespace vtax
