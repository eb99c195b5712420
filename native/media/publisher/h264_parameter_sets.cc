#include "media/publisher/h264_parameter_sets.h"

#include <iterator>
#include <optional>

namespace kvsbridge {
namespace {

using NalBytes = std::vector<std::uint8_t>;
using NalView = std::span<const std::uint8_t>;

constexpr std::uint8_t kNalTypeMask = 0x1f;
constexpr std::uint8_t kNalTypeSps = 7;
constexpr std::uint8_t kNalTypePps = 8;
/// Profiles up to this one (baseline 66, main 77, extended 88) share the short SPS syntax.
constexpr std::uint8_t kExtendedProfile = 88;

/// The payload behind the NAL header, without emulation prevention bytes.
NalBytes Unescape(NalView nal) {
  NalBytes payload;
  unsigned zeros = 0;
  for (const std::uint8_t byte : nal.subspan(1)) {
    if (zeros >= 2 && byte == 3) {
      zeros = 0;
      continue;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    payload.push_back(byte);
  }
  return payload;
}

NalBytes Escape(std::uint8_t header, const NalBytes& payload) {
  NalBytes nal{header};
  unsigned zeros = 0;
  for (const std::uint8_t byte : payload) {
    if (zeros >= 2 && byte <= 3) {
      nal.push_back(3);
      zeros = 0;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    nal.push_back(byte);
  }
  return nal;
}

class BitReader {
 public:
  explicit BitReader(const NalBytes& bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] bool overrun() const { return overrun_; }

  bool Bit() {
    if (position_ >= bytes_.size() * 8) {
      overrun_ = true;
      return false;
    }
    const bool bit = ((bytes_[position_ / 8] >> (7 - position_ % 8)) & 1U) != 0;
    ++position_;
    return bit;
  }
  void Skip(std::size_t bits) {
    while (bits-- > 0) Bit();
  }
  /// ue(v); its width is that of se(v).
  std::uint32_t ExpGolomb() {
    unsigned zeros = 0;
    while (!Bit() && !overrun_ && zeros < 31) ++zeros;
    std::uint32_t value = 1;
    for (unsigned i = 0; i < zeros; ++i) value = (value << 1U) | (Bit() ? 1U : 0U);
    return value - 1;
  }

 private:
  const NalBytes& bytes_;
  std::size_t position_ = 0;
  bool overrun_ = false;
};

/// Where vui_parameters_present_flag is, when it is set.
std::optional<std::size_t> FindVuiFlag(const NalBytes& payload) {
  if (payload.empty() || payload[0] > kExtendedProfile) return std::nullopt;
  BitReader reader(payload);
  reader.Skip(24);     // profile, constraints, level
  reader.ExpGolomb();  // seq_parameter_set_id
  reader.ExpGolomb();  // log2_max_frame_num_minus4
  const std::uint32_t order_type = reader.ExpGolomb();
  if (order_type == 0) {
    reader.ExpGolomb();  // log2_max_pic_order_cnt_lsb_minus4
  } else if (order_type == 1) {
    reader.Skip(1);      // delta_pic_order_always_zero_flag
    reader.ExpGolomb();  // offset_for_non_ref_pic
    reader.ExpGolomb();  // offset_for_top_to_bottom_field
    const std::uint32_t frames = reader.ExpGolomb();
    for (std::uint32_t i = 0; i < frames && !reader.overrun(); ++i) reader.ExpGolomb();
  }
  reader.ExpGolomb();                 // max_num_ref_frames
  reader.Skip(1);                     // gaps_in_frame_num_value_allowed_flag
  reader.ExpGolomb();                 // pic_width_in_mbs_minus1
  reader.ExpGolomb();                 // pic_height_in_map_units_minus1
  if (!reader.Bit()) reader.Skip(1);  // frame_mbs_only_flag, mb_adaptive_frame_field_flag
  reader.Skip(1);                     // direct_8x8_inference_flag
  if (reader.Bit()) {                 // frame_cropping_flag
    for (int i = 0; i < 4; ++i) reader.ExpGolomb();
  }
  const std::size_t position = reader.position();
  if (!reader.Bit() || reader.overrun()) return std::nullopt;
  return position;
}

/// Calls `each(start_code, nal)` for the NAL units of an Annex B access unit.
template <typename Each>
void ForEachNal(NalView unit, Each each) {
  constexpr std::size_t kCode = 3;
  const auto find = [unit](std::size_t from) {
    for (std::size_t i = from; i + kCode <= unit.size(); ++i) {
      if (unit[i] == 0 && unit[i + 1] == 0 && unit[i + 2] == 1) return i;
    }
    return unit.size();
  };
  std::size_t code = find(0);
  while (code < unit.size()) {
    const std::size_t next = find(code + kCode);
    // The zero in front of a start code belongs to that code.
    std::size_t end = next;
    while (next < unit.size() && end > code + kCode && unit[end - 1] == 0) --end;
    if (end > code + kCode) each(unit.subspan(code + kCode, end - code - kCode));
    code = next;
  }
}

/// Calls `each(nal)` for the NAL units of an AVC access unit.
template <typename Each>
void ForEachSizedNal(NalView unit, Each each) {
  constexpr std::size_t kLength = 4;
  while (unit.size() > kLength) {
    const std::size_t size = GST_READ_UINT32_BE(unit.data());
    if (size > unit.size() - kLength) return;
    if (size > 0) each(unit.subspan(kLength, size));
    unit = unit.subspan(kLength + size);
  }
}

/// Puts other bytes into the buffer of a probe.
void Replace(GstPadProbeInfo* info, const NalBytes& bytes) {
  GstBuffer* old = GST_PAD_PROBE_INFO_BUFFER(info);
  GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  gst_buffer_copy_into(
      buffer, old,
      static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS), 0,
      static_cast<gsize>(-1));
  gst_buffer_unref(old);
  info->data = buffer;
}

// Runs on the streaming thread.
GstPadProbeReturn StripVui(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer /*user_data*/) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)) return GST_PAD_PROBE_OK;
  NalBytes result;
  {
    const MappedBuffer mapped(buffer);
    ForEachNal(NalView(mapped.data(), mapped.size()), [&result](NalView nal) {
      result.insert(result.end(), {0, 0, 0, 1});
      const bool is_sps = (nal[0] & kNalTypeMask) == kNalTypeSps;
      const NalBytes kept = is_sps ? SpsWithoutVui(nal) : NalBytes(nal.begin(), nal.end());
      result.insert(result.end(), kept.begin(), kept.end());
    });
  }
  Replace(info, result);
  return GST_PAD_PROBE_OK;
}

// Runs on the streaming thread.
GstPadProbeReturn StripParameterSets(GstPad* /*pad*/, GstPadProbeInfo* info,
                                     gpointer /*user_data*/) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)) return GST_PAD_PROBE_OK;
  NalBytes result;
  {
    const MappedBuffer mapped(buffer);
    ForEachSizedNal(NalView(mapped.data(), mapped.size()), [&result](NalView nal) {
      const std::uint8_t type = nal[0] & kNalTypeMask;
      if (type == kNalTypeSps || type == kNalTypePps) return;
      std::uint8_t length[4] = {};
      GST_WRITE_UINT32_BE(length, static_cast<guint32>(nal.size()));
      result.insert(result.end(), std::begin(length), std::end(length));
      result.insert(result.end(), nal.begin(), nal.end());
    });
  }
  Replace(info, result);
  return GST_PAD_PROBE_OK;
}

}  // namespace

std::vector<std::uint8_t> SpsWithoutVui(std::span<const std::uint8_t> sps) {
  NalBytes unchanged(sps.begin(), sps.end());
  if (sps.size() < 5) return unchanged;
  const NalBytes payload = Unescape(sps);
  const auto flag = FindVuiFlag(payload);
  if (!flag) return unchanged;
  NalBytes kept(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(*flag / 8));
  const unsigned kept_bits = *flag % 8;
  // A cleared flag and rbsp_stop_one_bit follow what is kept, at times in a byte of their own.
  const auto head = static_cast<std::uint8_t>(payload[*flag / 8] & ~(0xffU >> kept_bits));
  if (kept_bits == 7) {
    kept.push_back(head);
    kept.push_back(0x80);
  } else {
    kept.push_back(static_cast<std::uint8_t>(head | (0x80U >> (kept_bits + 1))));
  }
  return Escape(sps[0], kept);
}

void StripParameterSetsAt(GstPad* pad) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, StripParameterSets, nullptr, nullptr);
}

void StripVuiAt(GstPad* pad) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, StripVui, nullptr, nullptr);
}

}  // namespace kvsbridge
