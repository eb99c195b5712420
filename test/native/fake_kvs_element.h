// An element by the name of kvssink, with its pads, properties and signals, that does as the test
// says. It stands in where the real one is not installed, and under the sanitizers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kvsbridge::testing {

/// A frame as the element took it.
struct TakenFrame {
  bool video = false;
  std::int64_t pts_ns = 0;
  std::int64_t dts_ns = 0;
  bool delta = false;             ///< does not begin a fragment
  bool discont = false;           ///< the real element drops a keyframe that is so marked
  std::vector<std::string> tags;  ///< "name=value", told since the frame before
};

/// Controls every fake element of the process. Any thread.
class FakeKvsElement {
 public:
  /// What an element does wrong, from its next state change or frame on.
  struct Faults {
    bool hang_while_connecting = false;  ///< in NULL->READY, until Release
    bool hang_while_stopping = false;    ///< in PAUSED->READY, until Release
    bool refuse_to_connect = false;
    int fail_at_frame = -1;  ///< the stream fails with this one, which is not taken
    int refuse_frame = -1;   ///< this one is not taken, the ones after it are
  };

  /// Registers the element and forgets what was before.
  static void Install();
  static void Set(const Faults& faults);
  /// Lets go of what hangs, and clears the faults.
  static void Release();

  /// Emits `fragment-ack` at the newest element, as a thread of the SDK does.
  static void Acknowledge(std::int32_t type, std::uint64_t timecode_ms, std::int32_t result = 0,
                          std::uint32_t version = 0);
  /// Emits `stream-error` at the newest element.
  static void FailStream(std::uint64_t status);

  /// Frames that the real element would have stored.
  static std::vector<TakenFrame> taken();
  /// Waits until there are so many of them. @return false when it does not happen
  static bool WaitForTaken(std::size_t count);
  /// Caps of the pads as they were in NULL->READY, when the real element reads them.
  static std::vector<std::string> caps();
  /// Elements in READY or above, or on their way from or to there.
  static int alive();
  /// Waits until `alive` is this. @return false when it does not happen
  static bool WaitUntilAlive(int count);
};

}  // namespace kvsbridge::testing
