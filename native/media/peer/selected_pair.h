// Which way ICE chose.
#pragma once

#include <glib-object.h>

#include <memory>

#include "glib/loop_thread.h"
#include "glib/ptr.h"
#include "media/transport_stats.h"

namespace kvsbridge {

/// Follows the choice of one libnice agent by its signal. ICE may change it at any time.
class SelectedPair {
 public:
  /// @param agent the NiceAgent; may be null, and then there never is a pair
  explicit SelectedPair(ObjectPtr<GObject> agent);
  SelectedPair(const SelectedPair&) = delete;
  SelectedPair& operator=(const SelectedPair&) = delete;
  ~SelectedPair();

  [[nodiscard]] CandidatePair Read() const;

 private:
  using Shared = std::shared_ptr<Guarded<CandidatePair>>;

  // Runs on libnice's thread.
  static void OnSelected(GObject* agent, guint stream, guint component, gpointer local,
                         gpointer remote, gpointer user_data);

  const ObjectPtr<GObject> agent_;
  const Shared pair_ = std::make_shared<Guarded<CandidatePair>>();
  gulong handler_ = 0;
};

}  // namespace kvsbridge
