#include "predict/gaussian_process.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace vtax::predict {
namespace {

constexpr std::size_t kOrders = 4;  // 1, 2, 3 and all
constexpr double kJitter = 1e-8;

// The covariance's parameters as one vector: decays, constant, noise, then the orders' scales.
using Parameters = Eigen::VectorXd;

Parameters parameters_of(const Covariance& covariance) {
  Parameters all(static_cast<Eigen::Index>(covariance.decay.size() + 2 + kOrders));
  Eigen::Index at = 0;
  for (const double decay : covariance.decay) all[at++] = decay;
  for (const double scale : {covariance.constant, covariance.noise, covariance.main, covariance.pairs,
                             covariance.triples, covariance.all})
    all[at++] = scale;
  return all;
}

Covariance covariance_of(const Parameters& parameters, bool is_product) {
  Covariance covariance;
  Eigen::Index at = 0;
  covariance.decay.resize(static_cast<std::size_t>(parameters.size()) - 2 - kOrders);
  for (double& decay : covariance.decay) decay = parameters[at++];
  for (double* scale : {&covariance.constant, &covariance.noise, &covariance.main, &covariance.pairs,
                        &covariance.triples, &covariance.all})
    *scale = parameters[at++];
  covariance.is_product = is_product;
  return covariance;
}

// Of one pair of cells: the orders' polynomials over their number of terms, and what each axis adds to them.
struct Orders {
  explicit Orders(const Covariance& covariance)
      : axes(covariance.decay.size()), is_product(covariance.is_product) {
    const double m = static_cast<double>(axes);
    terms = {m, m * (m - 1) / 2, m * (m - 1) * (m - 2) / 6, 1};
    for (double& number : terms) number = std::max(number, 1.0);
    const std::array logs{covariance.main, covariance.pairs, covariance.triples, covariance.all};
    for (std::size_t o = 0; o < kOrders; ++o)
      variance[o] = is_product && o + 1 < kOrders ? 0 : std::exp(2 * logs[o]);
    for (const double decay : covariance.decay) decays.push_back(std::exp(decay));
    nearness.resize(axes);
  }

  // nearness: k_j of the pair.
  void of_pair() {
    std::array<double, 4> e{1, 0, 0, 0};
    double product = 1;
    for (const double k : nearness) {
      for (std::size_t o = 3; o > 0; --o) e[o] += e[o - 1] * k;
      product *= k;
    }
    value = {e[1] / terms[0], e[2] / terms[1], e[3] / terms[2], product};
    sums = e;
  }
  // By how much the covariance grows with k_j.
  [[nodiscard]] double slope(std::size_t j) const {
    const double k = nearness[j];
    const double without1 = sums[1] - k, without2 = sums[2] - k * without1;
    const double others = k > 0 ? value[3] / k : 0;
    return variance[0] / terms[0] + variance[1] * without1 / terms[1] + variance[2] * without2 / terms[2] +
           variance[3] * others;
  }
  [[nodiscard]] double covariance() const {
    double sum = 0;
    for (std::size_t o = 0; o < kOrders; ++o) sum += variance[o] * value[o];
    return sum;
  }

  std::size_t axes;
  bool is_product;
  std::array<double, kOrders> terms{}, variance{}, value{};
  std::array<double, 4> sums{};
  std::vector<double> decays, nearness;
};

template <class At>
double covariance_at(Orders& orders, const At& distance) {
  for (std::size_t j = 0; j < orders.axes; ++j)
    orders.nearness[j] = std::exp(-orders.decays[j] * distance(j));
  orders.of_pair();
  return orders.covariance();
}

Eigen::MatrixXd matrix_of(const Covariance& covariance, const std::vector<Eigen::MatrixXd>& distances,
                          const Eigen::VectorXd& variances) {
  const Eigen::Index n = variances.size();
  Orders orders(covariance);
  const double constant = std::exp(2 * covariance.constant);
  Eigen::MatrixXd matrix(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j <= i; ++j)
      matrix(i, j) = matrix(j, i) =
          constant + covariance_at(orders, [&](std::size_t axis) { return distances[axis](i, j); });
  matrix.diagonal() += variances;
  matrix.diagonal().array() += std::exp(2 * covariance.noise) + kJitter;
  return matrix;
}

// The negative logarithm of the marginal likelihood and the prior, and how it grows with each parameter.
struct Misfit {
  double value = 0;
  Parameters slope;
};

constexpr double kPrior = 0.02;  // weight of the squared logarithms

Misfit misfit_of(const Parameters& parameters, bool is_product, const std::vector<Eigen::MatrixXd>& distances,
                 const Eigen::VectorXd& centred, const Eigen::VectorXd& variances) {
  const Covariance covariance = covariance_of(parameters, is_product);
  const Eigen::Index n = centred.size();
  const Eigen::LLT<Eigen::MatrixXd> factor(matrix_of(covariance, distances, variances));
  if (factor.info() != Eigen::Success)
    return {std::numeric_limits<double>::infinity(), Parameters::Zero(parameters.size())};
  const Eigen::VectorXd weights = factor.solve(centred);
  const Eigen::MatrixXd inverse = factor.solve(Eigen::MatrixXd::Identity(n, n));
  Misfit misfit{centred.dot(weights) / 2, 2 * kPrior * parameters};
  for (Eigen::Index i = 0; i < n; ++i) misfit.value += std::log(factor.matrixLLT()(i, i));
  misfit.value += kPrior * parameters.squaredNorm();

  Orders orders(covariance);
  const auto axes = static_cast<Eigen::Index>(orders.axes);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j <= i; ++j) {
      static_cast<void>(covariance_at(orders, [&](std::size_t axis) { return distances[axis](i, j); }));
      // Twice for a pair, once on the diagonal, halved as the likelihood is.
      const double pull = (inverse(i, j) - weights[i] * weights[j]) * (i == j ? 0.5 : 1);
      for (std::size_t axis = 0; axis < orders.axes; ++axis)
        misfit.slope[static_cast<Eigen::Index>(axis)] -=
            pull * orders.slope(axis) * orders.nearness[axis] * orders.decays[axis] * distances[axis](i, j);
      misfit.slope[axes] += pull * 2 * std::exp(2 * covariance.constant);
      if (i == j) misfit.slope[axes + 1] += pull * 2 * std::exp(2 * covariance.noise);
      for (std::size_t o = 0; o < kOrders; ++o)
        misfit.slope[axes + 2 + static_cast<Eigen::Index>(o)] +=
            pull * 2 * orders.variance[o] * orders.value[o];
    }
  return misfit;
}

// Resilient back-propagation (Riedmiller, Braun 1993): steps by the slopes' signs alone, so that no scale
// matters.
Parameters descend(Parameters at, bool is_product, const std::vector<Eigen::MatrixXd>& distances,
                   const Eigen::VectorXd& centred, const Eigen::VectorXd& variances) {
  constexpr int kMostSteps = 120;
  constexpr double kFirstStep = 0.2, kLeastStep = 1e-3, kMostStep = 0.6, kGrow = 1.2, kShrink = 0.5,
                   kBound = 7;
  Parameters best = at, step = Parameters::Constant(at.size(), kFirstStep),
             last = Parameters::Zero(at.size());
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kMostSteps && step.maxCoeff() > 2 * kLeastStep; ++i) {
    const Misfit misfit = misfit_of(at, is_product, distances, centred, variances);
    if (misfit.value < least) {
      least = misfit.value;
      best = at;
    }
    for (Eigen::Index p = 0; p < at.size(); ++p) {
      double slope = misfit.slope[p];
      if (slope * last[p] > 0) step[p] = std::min(step[p] * kGrow, kMostStep);
      if (slope * last[p] < 0) {
        step[p] = std::max(step[p] * kShrink, kLeastStep);
        slope = 0;
      }
      if (slope != 0) at[p] = std::clamp(at[p] - (slope > 0 ? step[p] : -step[p]), -kBound, kBound);
      last[p] = slope;
    }
  }
  return best;
}

}  // namespace

GaussianProcess GaussianProcess::with(Covariance covariance, std::vector<Eigen::MatrixXd> distances,
                                      Eigen::VectorXd values, Eigen::VectorXd variances) {
  GaussianProcess process;
  process.covariance_ = std::move(covariance);
  process.distances_ = std::move(distances);
  process.values_ = std::move(values);
  process.variances_ = std::move(variances);
  process.solve();
  return process;
}

GaussianProcess GaussianProcess::fit(std::vector<Eigen::MatrixXd> distances, Eigen::VectorXd values,
                                     Eigen::VectorXd variances, bool is_product) {
  Covariance start;
  start.decay.assign(distances.size(), -1);
  start.is_product = is_product;
  if (is_product) start.all = 0;
  const Eigen::VectorXd centred = values.array() - values.mean();
  const Parameters found = descend(parameters_of(start), is_product, distances, centred, variances);
  return with(covariance_of(found, is_product), std::move(distances), std::move(values),
              std::move(variances));
}

void GaussianProcess::solve() {
  mean_ = values_.mean();
  const Eigen::Index n = values_.size();
  inverse_ = matrix_of(covariance_, distances_, variances_).llt().solve(Eigen::MatrixXd::Identity(n, n));
  weights_ = inverse_ * (values_.array() - mean_).matrix();
}

double GaussianProcess::evidence() const {
  const Eigen::VectorXd centred = values_.array() - mean_;
  return -misfit_of(parameters_of(covariance_), covariance_.is_product, distances_, centred, variances_)
              .value;
}

GaussianProcess::Guess GaussianProcess::at(const std::vector<Eigen::VectorXd>& distances) const {
  Orders orders(covariance_);
  const double constant = std::exp(2 * covariance_.constant);
  Eigen::VectorXd near(values_.size());
  for (Eigen::Index i = 0; i < near.size(); ++i)
    near[i] = constant + covariance_at(orders, [&](std::size_t axis) { return distances[axis][i]; });
  const double own =
      constant + covariance_at(orders, [](std::size_t) { return 0.0; }) + std::exp(2 * covariance_.noise);
  return {mean_ + near.dot(weights_), std::max(own - near.dot(inverse_ * near), kJitter)};
}

std::vector<GaussianProcess::Guess> GaussianProcess::without(const std::vector<std::size_t>& group) const {
  const auto n = static_cast<Eigen::Index>(group.size());
  Eigen::MatrixXd block(n, n);
  Eigen::VectorXd weights(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto row = static_cast<Eigen::Index>(group[static_cast<std::size_t>(i)]);
    weights[i] = weights_[row];
    for (Eigen::Index j = 0; j < n; ++j)
      block(i, j) = inverse_(row, static_cast<Eigen::Index>(group[static_cast<std::size_t>(j)]));
  }
  const Eigen::MatrixXd spread = block.llt().solve(Eigen::MatrixXd::Identity(n, n));
  const Eigen::VectorXd off = spread * weights;
  std::vector<Guess> guesses;
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto row = static_cast<Eigen::Index>(group[static_cast<std::size_t>(i)]);
    guesses.push_back({values_[row] - off[i], std::max(spread(i, i) - variances_[row], kJitter)});
  }
  return guesses;
}

}  // namespace vtax::predict
