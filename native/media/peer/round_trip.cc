#include "media/peer/round_trip.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace kvsbridge {
namespace {

constexpr double kNsPerMs = 1'000'000;
constexpr std::uint64_t kUnansweredAtMost = 3;

/// RFC 8489: type, length, magic cookie, transaction id.
constexpr std::size_t kStunHeaderBytes = 20;
constexpr std::size_t kTransactionOffset = 8;
constexpr std::uint32_t kBindingSuccess = 0x0101;

/// A socket filter sees the UDP header too.
constexpr std::uint32_t kUdpHeaderBytes = 8;

void WriteBigEndian(std::uint64_t value, std::size_t bytes, std::uint8_t* to) {
  for (std::size_t i = 0; i < bytes; ++i) {
    to[i] = static_cast<std::uint8_t>(value >> (8 * (bytes - 1 - i)));
  }
}

std::uint64_t ReadBigEndian(const std::uint8_t* from, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | from[i];
  return value;
}

}  // namespace

StunMark::StunMark() : mark_(g_random_int()) {}

void StunMark::PassAnswers(int descriptor) const {
  int type = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_DGRAM) return;
  constexpr std::uint32_t kCut = kUdpHeaderBytes + kStunHeaderBytes;
  std::array<sock_filter, 8> code = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kCut, 0, 5),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kUdpHeaderBytes),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kBindingSuccess, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kUdpHeaderBytes + kTransactionOffset),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mark_, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kCut),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffffU),
  }};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  // Where there are no filters, there is no round trip.
  setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

StunTransactionId StunMark::Transaction(std::uint64_t number) const {
  StunTransactionId transaction{};
  WriteBigEndian(mark_, sizeof(mark_), transaction.data());
  WriteBigEndian(number, sizeof(number), transaction.data() + sizeof(mark_));
  return transaction;
}

std::optional<std::uint64_t> StunMark::AnsweredBy(GstBuffer* packet) const {
  if (gst_buffer_get_size(packet) != kStunHeaderBytes) return std::nullopt;
  std::array<std::uint8_t, kStunHeaderBytes> head{};
  gst_buffer_extract(packet, 0, head.data(), head.size());
  const std::uint8_t* transaction = head.data() + kTransactionOffset;
  if (ReadBigEndian(head.data(), 2) != kBindingSuccess ||
      ReadBigEndian(transaction, sizeof(mark_)) != mark_) {
    return std::nullopt;
  }
  return ReadBigEndian(transaction + sizeof(mark_), sizeof(std::uint64_t));
}

std::uint64_t RoundTrip::OnRequest(std::int64_t now_ns) {
  sent_ns_ = now_ns;
  return ++requests_;
}

void RoundTrip::OnAnswer(std::uint64_t number, std::int64_t now_ns) {
  if (number != requests_ || number == answered_) return;
  answered_ = number;
  newest_ms_ = static_cast<double>(std::max<std::int64_t>(now_ns - sent_ns_, 0)) / kNsPerMs;
}

std::optional<double> RoundTrip::ReadMs() const {
  if (answered_ == 0 || requests_ - answered_ > kUnansweredAtMost) return std::nullopt;
  return newest_ms_;
}

}  // namespace kvsbridge
