#pragma once

#include <cstddef>
#include <vector>

#include "workload/local/matrix_product.h"

namespace vtax {

// A = P L U of a square matrix by columns, in place, with partial pivoting, by recursion on the columns (S.
// Toledo, "Locality of reference in LU decomposition with partial pivoting", 1997), so that nearly all of the
// arithmetic is matrix products.
template <class Real>
class Factorisation {
 public:
  explicit Factorisation(const MatrixCode<Real>& code) : product_(code) {}

  // False for a singular matrix. When the process is interrupted both return early, with nothing of use.
  [[nodiscard]] bool factorise(Real* a, std::size_t n);
  // x = inverse(A) x with the factors that factorise() left in `a`.
  void solve(const Real* a, std::size_t n, Real* x) const;

 private:
  bool panel(Real* a, std::size_t rows, std::size_t columns, std::size_t first);
  bool narrow_panel(Real* a, std::size_t rows, std::size_t columns, std::size_t first);
  void swap_rows(Real* a, std::size_t columns, std::size_t first, std::size_t count) const;
  void solve_lower(const Real* l, std::size_t n, Real* b, std::size_t columns);

  MatrixProduct<Real> product_;
  std::vector<std::size_t> pivots_;  // of each column: the row that was swapped with it
  std::size_t n_ = 0;
};

extern template class Factorisation<float>;
extern template class Factorisation<double>;

}  // namespace vtax
