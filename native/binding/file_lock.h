// Locks between processes.
#pragma once

#include <napi.h>

namespace kvsbridge::binding {

/// `tryLockFile(fd: number): boolean`: takes an exclusive flock(2) on an open file, without
/// waiting. False when another open file description holds it, in this process or in another. The
/// kernel releases it when the descriptor is closed, however the process ends. Node thread. @throws
/// Error with the system's words, such as for a file system without locks
Napi::Value TryLockFileJs(const Napi::CallbackInfo& info);

}  // namespace kvsbridge::binding
