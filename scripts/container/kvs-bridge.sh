#!/bin/sh
# The image's kvs-bridge command. `check-elements` looks whether the image has what it is made for.
set -eu

# There only when the image was built with KVSSINK_IMAGE; its libraries are none of Debian's.
if [ -d /opt/kvssink/plugins ]; then
  export GST_PLUGIN_PATH="/opt/kvssink/plugins${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
  export LD_LIBRARY_PATH="/opt/kvssink/libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi

if [ "${1-}" = check-elements ]; then
  exec node /opt/kvs-bridge/container/check-elements.mjs
fi
exec node /opt/kvs-bridge/dist/bin/kvs-bridge.js "$@"
