#include "media/peer/dtls_identity.h"

#include <array>
#include <cstdio>
#include <memory>
#include <utility>

#include "media/media_error.h"

namespace kvsbridge {
namespace {

constexpr const char* kFingerprintAttribute = "fingerprint";

/// What stands between the first "-----BEGIN label-----" and its end, as Base64; empty without.
std::string PemBody(const std::string& pem, const std::string& label) {
  const std::string begin = "-----BEGIN " + label + "-----";
  const auto from = pem.find(begin);
  const auto to = pem.find("-----END " + label + "-----", from);
  if (from == std::string::npos || to == std::string::npos) return "";
  return pem.substr(from + begin.size(), to - from - begin.size());
}

/// The SHA-256 fingerprint of a certificate (RFC 8122, section 5).
std::string Fingerprint(const std::string& base64) {
  gsize size = 0;
  const std::unique_ptr<guchar, decltype(&g_free)> certificate(
      g_base64_decode(base64.c_str(), &size), g_free);
  const std::unique_ptr<GChecksum, decltype(&g_checksum_free)> checksum(
      g_checksum_new(G_CHECKSUM_SHA256), g_checksum_free);
  g_checksum_update(checksum.get(), certificate.get(), static_cast<gssize>(size));
  std::array<guint8, 32> digest{};
  gsize digest_size = digest.size();
  g_checksum_get_digest(checksum.get(), digest.data(), &digest_size);
  std::string text = "sha-256 ";
  for (const auto byte : digest) {
    std::array<char, 4> group{};
    std::snprintf(group.data(), group.size(), "%02X:", byte);
    text += group.data();
  }
  text.pop_back();
  return text;
}

// Runs on webrtcbin's `:pc` thread.
void OnDeepElementAdded(GstBin* /*webrtc*/, GstBin* /*parent*/, GstElement* element,
                        gpointer user_data) {
  const GstElementFactory* factory = gst_element_get_factory(element);
  if (factory == nullptr || g_strcmp0(GST_OBJECT_NAME(factory), "dtlssrtpdec") != 0) return;
  // The encoder takes the decoder's.
  g_object_set(element, "pem", static_cast<const std::string*>(user_data)->c_str(), nullptr);
}

void DeletePem(gpointer data, GClosure* /*closure*/) { delete static_cast<std::string*>(data); }

}  // namespace

DtlsIdentity::DtlsIdentity(std::string pem) : pem_(std::move(pem)) {
  const std::string certificate = PemBody(pem_, "CERTIFICATE");
  if (certificate.empty() || PemBody(pem_, "PRIVATE KEY").empty()) {
    throw MediaError(ErrorKind::kOptions,
                     "dtlsIdentity must be the PEM of a certificate and of its private key");
  }
  fingerprint_ = Fingerprint(certificate);
}

gulong DtlsIdentity::UseIn(GstElement* webrtc) const {
  if (pem_.empty()) return 0;
  return g_signal_connect_data(webrtc, "deep-element-added", G_CALLBACK(OnDeepElementAdded),
                               std::make_unique<std::string>(pem_).release(), DeletePem,
                               GConnectFlags{});
}

void DtlsIdentity::WriteFingerprint(GstSDPMessage* description) const {
  if (pem_.empty()) return;
  for (guint i = 0; i < gst_sdp_message_medias_len(description); ++i) {
    GstSDPMedia& media = g_array_index(description->medias, GstSDPMedia, i);
    for (guint j = 0; j < gst_sdp_media_attributes_len(&media); ++j) {
      if (g_strcmp0(gst_sdp_media_get_attribute(&media, j)->key, kFingerprintAttribute) != 0) {
        continue;
      }
      GstSDPAttribute attribute{};
      gst_sdp_attribute_set(&attribute, kFingerprintAttribute, fingerprint_.c_str());
      gst_sdp_media_replace_attribute(&media, j, &attribute);
    }
  }
}

}  // namespace kvsbridge
