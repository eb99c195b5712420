// Session options, read from JavaScript objects and checked.
#pragma once

#include <napi.h>

#include <cstdint>

#include "media/publisher/publisher_session.h"
#include "media/session/receiver_session.h"

namespace kvsbridge::binding {

/// @throws MediaError (kOptions) naming the member that is missing or wrong
ReceiverOptions ReadReceiverOptions(const Napi::Value& value);
/// @throws MediaError (kOptions) naming the member that is missing or wrong
PublisherOptions ReadPublisherOptions(const Napi::Value& value);

/// An argument that must be a string. @throws MediaError (kOptions)
std::string ReadString(const Napi::Value& value, const char* name);
/// An argument that must be true or false. @throws MediaError (kOptions)
bool ReadBool(const Napi::Value& value, const char* name);
/// An argument that must be a whole number in [min, max]. @throws MediaError (kOptions)
unsigned ReadUnsigned(const Napi::Value& value, const char* name, unsigned min, unsigned max);
/// An argument that must be a time in Unix epoch ms. @throws MediaError (kOptions)
std::int64_t ReadTimeMs(const Napi::Value& value, const char* name);

}  // namespace kvsbridge::binding
