// ICE servers in the form of GetIceServerConfig and in that of webrtcbin.
#include "media/peer/ice_server.h"

#include <gtest/gtest.h>

#include "media/media_error.h"

namespace kvsbridge {
namespace {

TEST(IceServerTest, TranslatesStun) {
  EXPECT_EQ(ToWebrtcbinUri({"stun:stun.example.com:443", "", ""}), "stun://stun.example.com:443");
  EXPECT_EQ(ToWebrtcbinUri({"stun://192.0.2.1:3478", "", ""}), "stun://192.0.2.1:3478");
  EXPECT_EQ(ToWebrtcbinUri({"stun:192.0.2.1:3478?transport=udp", "", ""}), "stun://192.0.2.1:3478");
}

TEST(IceServerTest, TranslatesTurnWithItsTransport) {
  EXPECT_EQ(ToWebrtcbinUri({"turn:192.0.2.1:443?transport=udp", "user", "secret"}),
            "turn://user:secret@192.0.2.1:443?transport=udp");
  EXPECT_EQ(ToWebrtcbinUri({"turns:relay.example.com:443?transport=tcp", "user", "secret"}),
            "turns://user:secret@relay.example.com:443?transport=tcp");
}

TEST(IceServerTest, EscapesCredentials) {
  // KVS user names hold colons, ARNs and base64.
  EXPECT_EQ(ToWebrtcbinUri({"turn:192.0.2.1:443", "1700:arn:aws/x", "a+b/c=@%"}),
            "turn://1700%3Aarn%3Aaws%2Fx:a%2Bb%2Fc%3D%40%25@192.0.2.1:443");
}

TEST(IceServerTest, RefusesWhatIsNoServerWithoutTellingTheSecret) {
  for (const IceServer& server :
       {IceServer{"http://192.0.2.1", "user", "s3cret"}, IceServer{"", "user", "s3cret"},
        IceServer{"turn", "user", "s3cret"}, IceServer{"turn:", "user", "s3cret"},
        IceServer{"turn://", "user", "s3cret"}, IceServer{"turn:192.0.2.1:443", "", "s3cret"},
        IceServer{"turn:192.0.2.1:443", "user", ""},
        IceServer{"turn:user:s3cret@192.0.2.1", "user", "s3cret"}}) {
    try {
      ToWebrtcbinUri(server);
      ADD_FAILURE() << server.uri;
    } catch (const MediaError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kOptions);
      EXPECT_EQ(std::string(error.what()).find("s3cret"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace kvsbridge
