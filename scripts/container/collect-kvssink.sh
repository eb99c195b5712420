#!/bin/sh
# Collects kvssink of the image that this runs in, if it has one, with the shared libraries that the
# image of kvs-bridge lacks:
#
#   collect-kvssink.sh <names of the libraries it has> <target folder>
set -eu
present="$1" target="$2"

mkdir -p "$target"
plugin="$(find / -xdev -type f -name libgstkvssink.so | head -n 1)"
if [ -z "$plugin" ]; then
  echo "no kvssink"
  exit 0
fi

needed="$(ldd "$plugin")"
if echo "$needed" | grep "not found"; then
  echo "$plugin lacks these libraries in its own image; is LD_LIBRARY_PATH set there?" >&2
  exit 1
fi
mkdir "$target/plugins" "$target/libraries"
cp "$plugin" "$target/plugins"
echo "$needed" | sed -n 's/^[[:space:]]*\([^ ]*\) => \(\/[^ ]*\).*/\1 \2/p' | while read -r name file; do
  if ! grep -qxF "$name" "$present"; then
    echo "taking $name"
    cp -L "$file" "$target/libraries/$name"
  fi
done
