#include "media/sinks/epoch_sinks.h"

#include <utility>

namespace kvsbridge {

bool KvsSinkCanStore(const Epoch& epoch) { return epoch.video != nullptr && !epoch.reordered; }

EpochSinks::EpochSinks(KvsSinkOptions options, const LoopThread& loop, EventSink& events)
    : kvs_(std::move(options), loop, events), put_media_(events), current_(&kvs_) {}

void EpochSinks::BeginEpoch(const Epoch& epoch) {
  if (KvsSinkCanStore(epoch)) {
    current_ = &kvs_;
  } else {
    current_ = &put_media_;
  }
  current_->BeginEpoch(epoch);
}

}  // namespace kvsbridge
