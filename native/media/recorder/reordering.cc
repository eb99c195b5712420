#include "media/recorder/reordering.h"

#include <gst/codecparsers/gsth264parser.h>
#include <gst/codecparsers/gsth265parser.h>

#include <memory>

#include "media/recorder/nal_units.h"

namespace kvsbridge {
namespace {

/// Of NAL units behind their lengths, as ParameterSets gives them.
constexpr guint8 kLengthBytes = 4;
constexpr guint8 kH264BaselineProfile = 66;

bool H264MayReorder(const Bytes& sets) {
  const std::unique_ptr<GstH264NalParser, decltype(&gst_h264_nal_parser_free)> parser(
      gst_h264_nal_parser_new(), gst_h264_nal_parser_free);
  GstH264NalUnit unit = {};
  for (guint offset = 0;
       gst_h264_parser_identify_nalu_avc(parser.get(), sets.data(), offset, sets.size(),
                                         kLengthBytes, &unit) == GST_H264_PARSER_OK;
       offset = unit.offset + unit.size) {
    if (unit.type != GST_H264_NAL_SPS) continue;
    GstH264SPS sps = {};
    if (gst_h264_parser_parse_sps(parser.get(), &unit, &sps) != GST_H264_PARSER_OK) return true;
    const GstH264VUIParams& vui = sps.vui_parameters;
    const bool told = sps.vui_parameters_present_flag != 0 && vui.bitstream_restriction_flag != 0;
    // Order type 2 shows pictures as they are decoded (ITU-T H.264, 8.2.1).
    const bool in_order = sps.profile_idc == kH264BaselineProfile || sps.pic_order_cnt_type == 2;
    const bool may = told ? vui.num_reorder_frames > 0 : !in_order;
    gst_h264_sps_clear(&sps);
    return may;
  }
  return true;
}

bool H265MayReorder(const Bytes& sets) {
  const std::unique_ptr<GstH265Parser, decltype(&gst_h265_parser_free)> parser(
      gst_h265_parser_new(), gst_h265_parser_free);
  GstH265NalUnit unit = {};
  for (guint offset = 0;
       gst_h265_parser_identify_nalu_hevc(parser.get(), sets.data(), offset, sets.size(),
                                          kLengthBytes, &unit) == GST_H265_PARSER_OK;
       offset = unit.offset + unit.size) {
    if (unit.type == GST_H265_NAL_VPS) gst_h265_parser_parse_nal(parser.get(), &unit);
    if (unit.type != GST_H265_NAL_SPS) continue;
    GstH265SPS sps = {};
    if (gst_h265_parser_parse_sps(parser.get(), &unit, &sps, TRUE) != GST_H265_PARSER_OK) {
      return true;
    }
    return sps.max_num_reorder_pics[sps.max_sub_layers_minus1] > 0;
  }
  return true;
}

}  // namespace

bool MayReorder(const VideoFormat& format) {
  const Bytes sets = ParameterSets(format);
  return format.codec == VideoCodec::kH265 ? H265MayReorder(sets) : H264MayReorder(sets);
}

}  // namespace kvsbridge
