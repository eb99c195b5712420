#include "media/sinks/kvs_upload.h"

#include <chrono>
#include <utility>

namespace kvsbridge {
namespace {

KvsElementHandlers PostTo(const Inbox<KvsReport>& reports, unsigned epoch) {
  return {[reports, epoch](KvsAck ack) {
            reports.Push({epoch, std::move(ack)});
          },
          [reports, epoch](std::uint32_t status) {
            reports.Push({epoch, KvsReport::Failed{status, "the stream failed"}});
          },
          [reports, epoch](bool fatal, const std::string& message, const std::string& debug) {
            // GStreamer puts its own words first and the element's second.
            const std::string reason = debug.empty() ? message : debug;
            if (fatal) {
              reports.Push({epoch, KvsReport::Failed{0, reason}});
            } else {
              reports.Push({epoch, KvsReport::FrameRefused{reason}});
            }
          },
          [reports, epoch] {
            reports.Push({epoch, KvsReport::Drained{}});
          }};
}

}  // namespace

KvsUpload::KvsUpload(const KvsSinkOptions& options, const Epoch& epoch,
                     const Inbox<KvsReport>& reports)
    : epoch_(epoch.number),
      element_(std::make_shared<KvsElement>(options, epoch, PostTo(reports, epoch.number))),
      worker_("kvsb-kvssink"),
      reports_(reports) {
  worker_.Post([element = element_, reports, number = epoch_] {
    // A failure is told on the bus as well, with its reason.
    if (element->SetState(GST_STATE_READY)) reports.Push({number, KvsReport::Ready{}});
  });
}

KvsUpload::~KvsUpload() {
  Stop();
  element_.reset();
  // A closed one only has to leave its loop.
  const std::chrono::milliseconds limit(closed_ ? 5'000 : 0);
  if (!worker_.WaitUntilFinished(limit)) worker_.Abandon();
}

void KvsUpload::Play() {
  if (playing_ || stopping_) return;
  playing_ = true;
  worker_.Post([element = element_] { element->SetState(GST_STATE_PLAYING); });
}

void KvsUpload::Finish() {
  if (!stopping_) element_->PushEnd();
}

void KvsUpload::Stop() {
  if (std::exchange(stopping_, true)) return;
  worker_.Post([element = element_, reports = reports_, number = epoch_] {
    element->SetState(GST_STATE_READY);
    element->SetState(GST_STATE_NULL);
    reports.Push({number, KvsReport::Closed{}});
  });
  worker_.Quit();
}

}  // namespace kvsbridge
