// Damages text the way that broken and hostile peers do.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace kvsbridge::testing {

/// Seeded, so that a failure can be repeated.
class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  /// `text` with one to four damages: bits, bytes, numbers, words, lines, tails.
  std::string Damage(std::string text);
  /// A number from 0 to below `below`.
  std::size_t Pick(std::size_t below);

 private:
  void DamageOnce(std::string& text);

  std::mt19937 random_;
};

}  // namespace kvsbridge::testing
