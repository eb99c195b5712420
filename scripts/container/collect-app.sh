#!/bin/sh
# Collects what kvs-bridge runs with, in the Dockerfile's stage that has built it:
#
#   collect-app.sh <target folder>
set -eu
target="$1"

mkdir -p "$target/build/Release" "$target/dist"
cp package.json "$target"
cp -r dist/bin dist/lib "$target/dist"
chmod 755 "$target/dist/bin/kvs-bridge.js"
cp build/Release/kvs_bridge.node "$target/build/Release"
strip --strip-unneeded "$target/build/Release/kvs_bridge.node"

# These two are for installations from npm, which build the addon.
npm pkg delete dependencies.cmake-js dependencies.node-addon-api
npm prune --omit=dev --ignore-scripts
# An optional peer of a package that stays.
rm -rf node_modules/typescript node_modules/.bin
cp -r node_modules "$target"
find "$target/node_modules" -type f \
  \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \) \
  ! -iname 'LICEN*' -delete
find "$target" -type f -name '*.map' -delete
find "$target" -type d -empty -delete
