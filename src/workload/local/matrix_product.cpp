#include "workload/local/matrix_product.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/interruption.h"

namespace vtax {
namespace {

// Blocks of the product: `left` (block_m x block_k) is to stay in the second-level cache, a strip of `right`
// in the first, `right` (block_k x block_n) in the third. Multiples of every tile's rows and columns.
constexpr std::size_t kBlockM = 192, kBlockK = 256, kBlockN = 1536;

// A vector of `Bytes` at any address of a Real.
template <class Real, std::size_t Bytes>
struct Vector {
  typedef Real Type __attribute__((vector_size(Bytes), aligned(alignof(Real)), may_alias));
};

// The bodies below are written once and compiled for each kind of CPU: GCC takes the instructions from a
// function's attribute, which a template's parameter cannot set, and it lowers vectors before it inlines, so
// that calling a common function would lose them.
#define VTAX_MATRIX_CODE(suffix, attribute)                                                                 \
  template <class Real, std::size_t Bytes, std::size_t Vectors, std::size_t Columns>                        \
  attribute void tile_##suffix(std::size_t steps, const Real* a, const Real* b, Real* c, std::size_t ld) {  \
    using V = typename Vector<Real, Bytes>::Type;                                                           \
    constexpr std::size_t kWidth = Bytes / sizeof(Real);                                                    \
    V sum[Columns][Vectors] = {};                                                                           \
    for (std::size_t j = 0; j < Columns; ++j)                                                               \
      for (std::size_t v = 0; v < Vectors; ++v) __builtin_prefetch(c + j * ld + v * kWidth, 1);             \
    for (std::size_t step = 0; step < steps; ++step, a += Vectors * kWidth, b += Columns) {                 \
      V x[Vectors];                                                                                         \
      _Pragma("GCC unroll 8") for (std::size_t v = 0; v < Vectors; ++v) x[v] =                              \
          *reinterpret_cast<const V*>(a + v * kWidth);                                                      \
      _Pragma("GCC unroll 8") for (std::size_t j = 0; j < Columns; ++j)                                     \
          _Pragma("GCC unroll 8") for (std::size_t v = 0; v < Vectors; ++v) sum[j][v] += x[v] * b[j];       \
    }                                                                                                       \
    _Pragma("GCC unroll 8") for (std::size_t j = 0; j < Columns; ++j)                                       \
        _Pragma("GCC unroll 8") for (std::size_t v = 0; v < Vectors; ++v) {                                 \
      V* const place = reinterpret_cast<V*>(c + j * ld + v * kWidth);                                       \
      *place -= sum[j][v];                                                                                  \
    }                                                                                                       \
  }                                                                                                         \
  template <class Real, std::size_t Bytes>                                                                  \
  attribute void subtract_##suffix(std::size_t n, Real factor, const Real* x, Real* y) {                    \
    using V = typename Vector<Real, Bytes>::Type;                                                           \
    constexpr std::size_t kWidth = Bytes / sizeof(Real);                                                    \
    std::size_t i = 0;                                                                                      \
    for (; i + kWidth <= n; i += kWidth)                                                                    \
      *reinterpret_cast<V*>(y + i) -= factor * *reinterpret_cast<const V*>(x + i);                          \
    for (; i < n; ++i) y[i] -= factor * x[i];                                                               \
  }                                                                                                         \
  template <class Real, std::size_t Bytes>                                                                  \
  attribute std::size_t largest_##suffix(std::size_t n, const Real* x) {                                    \
    using V = typename Vector<Real, Bytes>::Type;                                                           \
    constexpr std::size_t kWidth = Bytes / sizeof(Real);                                                    \
    V most = {};                                                                                            \
    Real found = 0;                                                                                         \
    std::size_t i = 0;                                                                                      \
    for (; i + kWidth <= n; i += kWidth) {                                                                  \
      const V value = *reinterpret_cast<const V*>(x + i);                                                   \
      const V size = value < 0 ? -value : value;                                                            \
      most = size > most ? size : most;                                                                     \
    }                                                                                                       \
    for (std::size_t v = 0; v < kWidth; ++v) found = std::max(found, most[v]);                              \
    for (; i < n; ++i) found = std::max(found, x[i] < 0 ? -x[i] : x[i]);                                    \
    for (i = 0; i < n; ++i)                                                                                 \
      if (x[i] == found || x[i] == -found) return i;                                                        \
    return 0;                                                                                               \
  }                                                                                                         \
  template <class Real>                                                                                     \
  attribute void solve8_##suffix(std::size_t n, const Real* l, std::size_t ldl, Real* b, std::size_t ldb) { \
    using V = typename Vector<Real, 8 * sizeof(Real)>::Type;                                                \
    V column[8] = {};                                                                                       \
    for (std::size_t k = 0; k < 8; ++k)                                                                     \
      for (std::size_t i = k + 1; i < 8; ++i) column[k][i] = l[k * ldl + i];                                \
    std::size_t j = 0;                                                                                      \
    for (; j + 4 <= n; j += 4) {                                                                            \
      V y[4];                                                                                               \
      _Pragma("GCC unroll 4") for (std::size_t q = 0; q < 4; ++q) y[q] =                                    \
          *reinterpret_cast<const V*>(b + (j + q) * ldb);                                                   \
      _Pragma("GCC unroll 8") for (std::size_t k = 0; k < 7; ++k)                                           \
          _Pragma("GCC unroll 4") for (std::size_t q = 0; q < 4; ++q) y[q] -= column[k] * y[q][k];          \
      _Pragma("GCC unroll 4") for (std::size_t q = 0; q < 4; ++q) *                                         \
          reinterpret_cast<V*>(b + (j + q) * ldb) = y[q];                                                   \
    }                                                                                                       \
    for (; j < n; ++j) {                                                                                    \
      V y = *reinterpret_cast<const V*>(b + j * ldb);                                                       \
      for (std::size_t k = 0; k < 7; ++k) y -= column[k] * y[k];                                            \
      *reinterpret_cast<V*>(b + j * ldb) = y;                                                               \
    }                                                                                                       \
  }

#if defined(__x86_64__)
VTAX_MATRIX_CODE(avx512, __attribute__((target("avx512f,avx512dq,avx512vl,fma"))))
VTAX_MATRIX_CODE(avx2, __attribute__((target("avx2,fma"))))
#endif
VTAX_MATRIX_CODE(plain, )
#undef VTAX_MATRIX_CODE

template <class Real>
Real* at_cache_line(std::vector<Real>& store) {
  const auto address = (reinterpret_cast<std::uintptr_t>(store.data()) + 63) / 64 * 64;
  return reinterpret_cast<Real*>(address);
}

}  // namespace

template <class Real>
std::vector<MatrixCode<Real>> matrix_codes() {
  std::vector<MatrixCode<Real>> codes;
  constexpr std::size_t kBytes = sizeof(Real);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0)
    codes.push_back({"avx512", 192 / kBytes, 8, tile_avx512<Real, 64, 3, 8>, subtract_avx512<Real, 64>,
                     largest_avx512<Real, 64>, solve8_avx512<Real>});
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0)
    codes.push_back({"avx2", 96 / kBytes, 4, tile_avx2<Real, 32, 3, 4>, subtract_avx2<Real, 32>,
                     largest_avx2<Real, 32>, solve8_avx2<Real>});
  codes.push_back({"sse2", 32 / kBytes, 4, tile_plain<Real, 16, 2, 4>, subtract_plain<Real, 16>,
                   largest_plain<Real, 16>, solve8_plain<Real>});
#else
  codes.push_back({"plain", 32 / kBytes, 4, tile_plain<Real, 16, 2, 4>, subtract_plain<Real, 16>,
                   largest_plain<Real, 16>, solve8_plain<Real>});
#endif
  return codes;
}

template std::vector<MatrixCode<float>> matrix_codes<float>();
template std::vector<MatrixCode<double>> matrix_codes<double>();

template <class Real>
MatrixProduct<Real>::MatrixProduct(const MatrixCode<Real>& code)
    : code_(code),
      left_store_(kBlockM * kBlockK + 64),
      right_store_(kBlockK * kBlockN + 64),
      left_(at_cache_line(left_store_)),
      right_(at_cache_line(right_store_)) {}

template <class Real>
void MatrixProduct<Real>::pack_left(std::size_t m, std::size_t k, const Real* a, std::size_t lda) {
  const std::size_t rows = code_.rows;
  Real* to = left_;
  for (std::size_t i = 0; i < m; i += rows) {
    const std::size_t here = std::min(rows, m - i);
    for (std::size_t step = 0; step < k; ++step, to += rows) {
      std::memcpy(to, a + step * lda + i, here * sizeof(Real));
      if (here < rows) std::fill(to + here, to + rows, Real(0));
    }
  }
}

template <class Real>
void MatrixProduct<Real>::pack_right(std::size_t n, std::size_t k, const Real* b, std::size_t ldb) {
  const std::size_t columns = code_.columns;
  Real* to = right_;
  for (std::size_t j = 0; j < n; j += columns, to += columns * k) {
    const std::size_t here = std::min(columns, n - j);
    for (std::size_t q = 0; q < columns; ++q) {
      const Real* const from = b + (j + q) * ldb;
      for (std::size_t step = 0; step < k; ++step) to[step * columns + q] = q < here ? from[step] : Real(0);
    }
  }
}

template <class Real>
void MatrixProduct<Real>::multiply_packed(std::size_t m, std::size_t n, std::size_t k, Real* c,
                                          std::size_t ldc) {
  const std::size_t rows = code_.rows, columns = code_.columns;
  alignas(64) Real edge[48 * 8];  // the largest tile
  for (std::size_t j = 0; j < n; j += columns) {
    for (std::size_t i = 0; i < m; i += rows) {
      const Real* const a = left_ + i * k;
      const Real* const b = right_ + j * k;
      Real* const to = c + j * ldc + i;
      if (m - i >= rows && n - j >= columns) {
        code_.tile(k, a, b, to, ldc);
        continue;
      }
      const std::size_t high = std::min(rows, m - i), wide = std::min(columns, n - j);
      for (std::size_t q = 0; q < wide; ++q) std::copy_n(to + q * ldc, high, edge + q * rows);
      code_.tile(k, a, b, edge, rows);
      for (std::size_t q = 0; q < wide; ++q) std::copy_n(edge + q * rows, high, to + q * ldc);
    }
  }
}

template <class Real>
void MatrixProduct<Real>::subtract(std::size_t m, std::size_t n, std::size_t k, const Real* a,
                                   std::size_t lda, const Real* b, std::size_t ldb, Real* c,
                                   std::size_t ldc) {
  for (std::size_t j = 0; j < n; j += kBlockN) {
    const std::size_t wide = std::min(kBlockN, n - j);
    for (std::size_t step = 0; step < k; step += kBlockK) {
      const std::size_t deep = std::min(kBlockK, k - step);
      pack_right(wide, deep, b + j * ldb + step, ldb);
      for (std::size_t i = 0; i < m; i += kBlockM) {
        if (interrupted()) return;
        const std::size_t high = std::min(kBlockM, m - i);
        pack_left(high, deep, a + step * lda + i, lda);
        multiply_packed(high, wide, deep, c + j * ldc + i, ldc);
      }
    }
  }
}

template class MatrixProduct<float>;
template class MatrixProduct<double>;

}  // namespace vtax
