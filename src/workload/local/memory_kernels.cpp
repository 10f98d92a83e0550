#include "workload/local/memory_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vtax {
namespace {

#if defined(__x86_64__)

// One function a width: the attribute that allows the instructions cannot depend on a template's parameter.
template <StreamKernel kernel, bool nontemporal>
__attribute__((target("avx512f"))) void stream_avx512(double* to, const double* x, const double* y, double s,
                                                      std::size_t count) {
  const __m512d scale = _mm512_set1_pd(s);
  for (std::size_t i = 0; i < count; i += 8) {
    __m512d value = _mm512_load_pd(x + i);
    if constexpr (kernel == StreamKernel::scale) value = _mm512_mul_pd(scale, value);
    if constexpr (kernel == StreamKernel::add) value = _mm512_add_pd(value, _mm512_load_pd(y + i));
    if constexpr (kernel == StreamKernel::triad) value = _mm512_fmadd_pd(scale, _mm512_load_pd(y + i), value);
    if constexpr (nontemporal)
      _mm512_stream_pd(to + i, value);
    else
      _mm512_store_pd(to + i, value);
  }
  if constexpr (nontemporal) _mm_sfence();
}

template <StreamKernel kernel, bool nontemporal>
__attribute__((target("avx2,fma"))) void stream_avx2(double* to, const double* x, const double* y, double s,
                                                     std::size_t count) {
  const __m256d scale = _mm256_set1_pd(s);
  for (std::size_t i = 0; i < count; i += 4) {
    __m256d value = _mm256_load_pd(x + i);
    if constexpr (kernel == StreamKernel::scale) value = _mm256_mul_pd(scale, value);
    if constexpr (kernel == StreamKernel::add) value = _mm256_add_pd(value, _mm256_load_pd(y + i));
    if constexpr (kernel == StreamKernel::triad) value = _mm256_fmadd_pd(scale, _mm256_load_pd(y + i), value);
    if constexpr (nontemporal)
      _mm256_stream_pd(to + i, value);
    else
      _mm256_store_pd(to + i, value);
  }
  if constexpr (nontemporal) _mm_sfence();
}

template <StreamKernel kernel, bool nontemporal>
void stream_sse2(double* to, const double* x, const double* y, double s, std::size_t count) {
  const __m128d scale = _mm_set1_pd(s);
  for (std::size_t i = 0; i < count; i += 2) {
    __m128d value = _mm_load_pd(x + i);
    if constexpr (kernel == StreamKernel::scale) value = _mm_mul_pd(scale, value);
    if constexpr (kernel == StreamKernel::add) value = _mm_add_pd(value, _mm_load_pd(y + i));
    if constexpr (kernel == StreamKernel::triad)
      value = _mm_add_pd(value, _mm_mul_pd(scale, _mm_load_pd(y + i)));
    if constexpr (nontemporal)
      _mm_stream_pd(to + i, value);
    else
      _mm_store_pd(to + i, value);
  }
  if constexpr (nontemporal) _mm_sfence();
}

template <bool nontemporal>
StreamCode avx512_code() {
  return {"avx512",
          nontemporal,
          {stream_avx512<StreamKernel::copy, nontemporal>, stream_avx512<StreamKernel::scale, nontemporal>,
           stream_avx512<StreamKernel::add, nontemporal>, stream_avx512<StreamKernel::triad, nontemporal>}};
}

template <bool nontemporal>
StreamCode avx2_code() {
  return {"avx2",
          nontemporal,
          {stream_avx2<StreamKernel::copy, nontemporal>, stream_avx2<StreamKernel::scale, nontemporal>,
           stream_avx2<StreamKernel::add, nontemporal>, stream_avx2<StreamKernel::triad, nontemporal>}};
}

template <bool nontemporal>
StreamCode sse2_code() {
  return {"sse2",
          nontemporal,
          {stream_sse2<StreamKernel::copy, nontemporal>, stream_sse2<StreamKernel::scale, nontemporal>,
           stream_sse2<StreamKernel::add, nontemporal>, stream_sse2<StreamKernel::triad, nontemporal>}};
}

#else

template <StreamKernel kernel>
void stream_plain(double* to, const double* x, const double* y, double s, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (kernel == StreamKernel::copy) to[i] = x[i];
    if constexpr (kernel == StreamKernel::scale) to[i] = s * x[i];
    if constexpr (kernel == StreamKernel::add) to[i] = x[i] + y[i];
    if constexpr (kernel == StreamKernel::triad) to[i] = x[i] + s * y[i];
  }
}

#endif

}  // namespace

std::vector<StreamCode> stream_codes() {
  std::vector<StreamCode> codes;
  codes.reserve(6);  // without it GCC 14 warns of writes past the end that cannot be
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0) {
    codes.push_back(avx512_code<false>());
    codes.push_back(avx512_code<true>());
  }
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    codes.push_back(avx2_code<false>());
    codes.push_back(avx2_code<true>());
  }
  codes.push_back(sse2_code<false>());
  codes.push_back(sse2_code<true>());
#else
  codes.push_back({"plain",
                   false,
                   {stream_plain<StreamKernel::copy>, stream_plain<StreamKernel::scale>,
                    stream_plain<StreamKernel::add>, stream_plain<StreamKernel::triad>}});
#endif
  return codes;
}

}  // namespace vtax
