#!/bin/bash
# Asks the bridge in this container how it is; bash speaks TCP by itself, at a fraction of what
# starting Node costs every few seconds.
#
#   kvs-bridge-health [/readyz | /livez]
set -euo pipefail
endpoint="${1:-/readyz}"

exec 3<>"/dev/tcp/127.0.0.1/${KVS_BRIDGE_HTTP_PORT:?names no port}"
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$endpoint" >&3
read -r -t 4 _ status _ <&3
[[ "$status" == 200 ]]
