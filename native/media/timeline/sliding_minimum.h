// The smallest of the recent observations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>

namespace kvsbridge {

/// Minimum over a sliding window of time. Network delay is never negative, so the smallest recent
/// "arrival minus sender time" is the one least disturbed. Keeps one value per eighth of a second.
class SlidingMinimum {
 public:
  explicit SlidingMinimum(std::int64_t window_ns) : window_ns_(window_ns) {}

  /// @param at_ns when `value` was observed; not before the observation before it
  void Add(std::int64_t at_ns, std::int64_t value) {
    const std::int64_t slot = at_ns / kSlotNs;
    while (!slots_.empty() && slots_.front().slot * kSlotNs < at_ns - window_ns_) {
      slots_.pop_front();
    }
    // What is not smaller than a newer value can never be the minimum again.
    while (!slots_.empty() && slots_.back().value >= value) slots_.pop_back();
    if (slots_.empty() || slots_.back().slot != slot) slots_.push_back({slot, value});
  }

  /// Empty before the first observation.
  [[nodiscard]] std::optional<std::int64_t> Get() const {
    if (slots_.empty()) return std::nullopt;
    return slots_.front().value;
  }

  void Clear() { slots_.clear(); }

 private:
  static constexpr std::int64_t kSlotNs = 125'000'000;
  struct Slot {
    std::int64_t slot = 0;
    std::int64_t value = 0;
  };

  std::int64_t window_ns_;
  std::deque<Slot> slots_;  ///< values ascend from front to back
};

}  // namespace kvsbridge
