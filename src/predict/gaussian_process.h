#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <vector>

// Regression by a Gaussian process (Rasmussen, Williams: Gaussian Processes for Machine Learning, 2006,
// chapters 2 and 5) whose covariance is a sum of interactions (Duvenaud, Nickisch, Rasmussen: Additive
// Gaussian Processes, 2011):
//   k(a, b) = s0^2 + sum over orders o of so^2 e_o(k_1, ..., k_m) / C(m, o),   k_j = exp(-t_j d_j(a, b))
// with e_o the elementary symmetric polynomial of order o, d_j the distance on axis j: order 1 is what each
// factor does by itself, order 2 pairs of them, order m all at once. So a cell that was never measured is
// told by what its pairs and triples of factors did elsewhere.
namespace vtax::predict {

// Logarithms of the covariance's parameters.
struct Covariance {
  std::vector<double> decay;                                 // log t_j, one an axis
  double constant = 0, noise = -3.5;                         // log s0, log of the noise's standard deviation
  double main = -0.5, pairs = -1, triples = -1.5, all = -2;  // log s1, s2, s3, sm
  bool is_product = false;                                   // order m alone: the usual kernel, the baseline
};

class GaussianProcess {
 public:
  // `distances`: for each axis, symmetric, of the known cells. `values`: what they are told apart by;
  // `variances`: of each value by itself, what its repetitions say. Finds the covariance by the marginal
  // likelihood with a weak normal prior on its logarithms; the same input gives the same process.
  static GaussianProcess fit(std::vector<Eigen::MatrixXd> distances, Eigen::VectorXd values,
                             Eigen::VectorXd variances, bool is_product);
  // With a covariance that was found before.
  static GaussianProcess with(Covariance covariance, std::vector<Eigen::MatrixXd> distances,
                              Eigen::VectorXd values, Eigen::VectorXd variances);

  struct Guess {
    double mean = 0, variance = 0;  // of what a new measurement without own noise would give
  };
  // `distances`: for each axis, of the known cells (rows) to the one that is asked for.
  [[nodiscard]] Guess at(const std::vector<Eigen::VectorXd>& distances) const;

  // What it would say of known cells if all cells of `group` were not known (Rasmussen, Williams: 5.4.2, by
  // blocks).
  [[nodiscard]] std::vector<Guess> without(const std::vector<std::size_t>& group) const;

  [[nodiscard]] const Covariance& covariance() const { return covariance_; }

  // The logarithm of the marginal likelihood and its prior: which of two scales of an axis tells the values
  // better.
  [[nodiscard]] double evidence() const;

 private:
  GaussianProcess() = default;
  void solve();

  Covariance covariance_;
  std::vector<Eigen::MatrixXd> distances_;
  Eigen::VectorXd values_, variances_;
  double mean_ = 0;
  Eigen::MatrixXd inverse_;
  Eigen::VectorXd weights_;
};

}  // namespace vtax::predict
