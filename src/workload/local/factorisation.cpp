#include "workload/local/factorisation.h"

#include <algorithm>
#include <utility>

#include "core/interruption.h"

namespace vtax {
namespace {

constexpr std::size_t kNarrowColumns = 8;  // MatrixCode::solve8

// Half of the columns, in whole narrow panels.
std::size_t left_half(std::size_t columns) {
  return (columns / 2 + kNarrowColumns - 1) / kNarrowColumns * kNarrowColumns;
}

}  // namespace

template <class Real>
bool Factorisation<Real>::factorise(Real* a, std::size_t n) {
  n_ = n;
  pivots_.assign(n, 0);
  return panel(a, n, n, 0);
}

// `a` points at the panel's first element; rows and pivots count from row `first` of the matrix.
template <class Real>
bool Factorisation<Real>::panel(Real* a, std::size_t rows, std::size_t columns, std::size_t first) {
  if (interrupted()) return true;
  if (columns <= kNarrowColumns) return narrow_panel(a, rows, columns, first);
  const std::size_t left = left_half(columns), right = columns - left;
  Real* const beside = a + left * n_;
  if (!panel(a, rows, left, first)) return false;
  swap_rows(beside, right, first, left);
  solve_lower(a, left, beside, right);
  product_.subtract(rows - left, right, left, a + left, n_, beside, n_, beside + left, n_);
  if (!panel(beside + left, rows - left, right, first + left)) return false;
  swap_rows(a + left, left, first + left, right);
  return true;
}

template <class Real>
bool Factorisation<Real>::narrow_panel(Real* a, std::size_t rows, std::size_t columns, std::size_t first) {
  const MatrixCode<Real>& code = product_.code();
  for (std::size_t j = 0; j < columns; ++j) {
    Real* const column = a + j * n_;
    const std::size_t pivot = j + code.largest(rows - j, column + j);
    pivots_[first + j] = pivot - j;
    if (column[pivot] == Real(0)) return false;
    if (pivot != j)
      for (std::size_t q = 0; q < columns; ++q) std::swap(a[q * n_ + j], a[q * n_ + pivot]);
    const Real inverse = Real(1) / column[j];
    for (std::size_t i = j + 1; i < rows; ++i) column[i] *= inverse;
    for (std::size_t q = j + 1; q < columns; ++q)
      code.subtract(rows - j - 1, a[q * n_ + j], column + j + 1, a + q * n_ + j + 1);
  }
  return true;
}

// Applies the pivots `first` to `first + count` to columns that start at row `first`.
template <class Real>
void Factorisation<Real>::swap_rows(Real* a, std::size_t columns, std::size_t first,
                                    std::size_t count) const {
  for (std::size_t q = 0; q < columns && !interrupted(); ++q) {
    Real* const column = a + q * n_;
    for (std::size_t i = 0; i < count; ++i) std::swap(column[i], column[i + pivots_[first + i]]);
  }
}

// b = inverse(L) b; n is a multiple of narrow_columns, for only the last panel of all can be narrower.
template <class Real>
void Factorisation<Real>::solve_lower(const Real* l, std::size_t n, Real* b, std::size_t columns) {
  if (interrupted()) return;
  if (n == kNarrowColumns) {
    product_.code().solve8(columns, l, n_, b, n_);
    return;
  }
  const std::size_t top = left_half(n);
  solve_lower(l, top, b, columns);
  product_.subtract(n - top, columns, top, l + top, n_, b, n_, b + top, n_);
  solve_lower(l + top * n_ + top, n - top, b + top, columns);
}

template <class Real>
void Factorisation<Real>::solve(const Real* a, std::size_t n, Real* x) const {
  const MatrixCode<Real>& code = product_.code();
  for (std::size_t i = 0; i < n; ++i) std::swap(x[i], x[i + pivots_[i]]);
  for (std::size_t j = 0; j < n && !interrupted(); ++j)
    code.subtract(n - j - 1, x[j], a + j * n + j + 1, x + j + 1);
  for (std::size_t j = n; j-- > 0 && !interrupted();) {
    x[j] /= a[j * n + j];
    code.subtract(j, x[j], a + j * n, x);
  }
}

template class Factorisation<float>;
template class Factorisation<double>;

}  // namespace vtax
