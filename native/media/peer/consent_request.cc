#include "media/peer/consent_request.h"

#include <glib.h>

#include <memory>

namespace kvsbridge {
namespace {

constexpr std::uint16_t kBindingRequest = 0x0001;
constexpr std::uint32_t kMagicCookie = 0x2112a442;
constexpr std::uint16_t kUsername = 0x0006;
constexpr std::uint16_t kMessageIntegrity = 0x0008;
constexpr std::uint16_t kPriority = 0x0024;
constexpr std::uint16_t kFingerprint = 0x8028;
constexpr std::uint16_t kIceControlled = 0x8029;
constexpr std::uint16_t kIceControlling = 0x802a;
constexpr std::uint32_t kFingerprintMask = 0x5354554e;  // "STUN"
/// Of a peer reflexive candidate of component 1 (RFC 8445, section 5.1.2).
constexpr std::uint32_t kPeerReflexivePriority = (110U << 24U) | (65'535U << 8U) | 255U;
constexpr std::size_t kHeaderBytes = 20;
constexpr std::size_t kSha1Bytes = 20;
constexpr std::size_t kFingerprintBytes = 4;
constexpr std::size_t kAttributeHeaderBytes = 4;

class Writer {
 public:
  void Put16(std::uint16_t value) {
    bytes_.push_back(static_cast<std::uint8_t>(value >> 8U));
    bytes_.push_back(static_cast<std::uint8_t>(value));
  }
  void Put32(std::uint32_t value) {
    Put16(static_cast<std::uint16_t>(value >> 16U));
    Put16(static_cast<std::uint16_t>(value));
  }
  template <typename Range>
  void PutAll(const Range& range) {
    bytes_.insert(bytes_.end(), range.begin(), range.end());
  }
  void BeginAttribute(std::uint16_t type, std::size_t length) {
    Put16(type);
    Put16(static_cast<std::uint16_t>(length));
  }
  void Pad() {
    while (bytes_.size() % 4 != 0) bytes_.push_back(0);
  }
  /// The message's length as of an attribute that is still to come: what the checks below cover.
  void SetLength(std::size_t coming_attribute_bytes) {
    const std::size_t length =
        bytes_.size() - kHeaderBytes + kAttributeHeaderBytes + coming_attribute_bytes;
    bytes_[2] = static_cast<std::uint8_t>(length >> 8U);
    bytes_[3] = static_cast<std::uint8_t>(length);
  }
  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::uint8_t> Take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

std::array<std::uint8_t, kSha1Bytes> HmacSha1(const std::string& key,
                                              const std::vector<std::uint8_t>& data) {
  const std::unique_ptr<GHmac, decltype(&g_hmac_unref)> hmac(
      g_hmac_new(G_CHECKSUM_SHA1, reinterpret_cast<const guchar*>(key.data()), key.size()),
      g_hmac_unref);
  g_hmac_update(hmac.get(), data.data(), static_cast<gssize>(data.size()));
  std::array<std::uint8_t, kSha1Bytes> digest{};
  gsize length = digest.size();
  g_hmac_get_digest(hmac.get(), digest.data(), &length);
  return digest;
}

/// CRC-32 of ISO 3309, as RFC 8489, section 14.7, has it.
std::uint32_t Crc32(const std::vector<std::uint8_t>& data) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : data) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

}  // namespace

std::vector<std::uint8_t> MakeConsentRequest(const ConsentCredentials& credentials,
                                             const StunTransactionId& transaction) {
  Writer writer;
  writer.Put16(kBindingRequest);
  writer.Put16(0);
  writer.Put32(kMagicCookie);
  writer.PutAll(transaction);

  const std::string username = credentials.remote_ufrag + ":" + credentials.local_ufrag;
  writer.BeginAttribute(kUsername, username.size());
  writer.PutAll(username);
  writer.Pad();
  writer.BeginAttribute(kPriority, sizeof(kPeerReflexivePriority));
  writer.Put32(kPeerReflexivePriority);
  writer.BeginAttribute(credentials.controlling ? kIceControlling : kIceControlled,
                        sizeof(credentials.tie_breaker));
  writer.Put32(static_cast<std::uint32_t>(credentials.tie_breaker >> 32U));
  writer.Put32(static_cast<std::uint32_t>(credentials.tie_breaker));

  writer.SetLength(kSha1Bytes);
  const auto digest = HmacSha1(credentials.remote_password, writer.bytes());
  writer.BeginAttribute(kMessageIntegrity, kSha1Bytes);
  writer.PutAll(digest);
  writer.SetLength(kFingerprintBytes);
  const std::uint32_t fingerprint = Crc32(writer.bytes()) ^ kFingerprintMask;
  writer.BeginAttribute(kFingerprint, kFingerprintBytes);
  writer.Put32(fingerprint);
  return writer.Take();
}

}  // namespace kvsbridge
