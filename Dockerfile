# kvs-bridge on Debian stable with Debian's own Node, which shares the system's OpenSSL with
# GStreamer, and Debian's own GStreamer.
#
#   docker build -t kvs-bridge .
#   docker run --rm kvs-bridge start --channel my-camera --stream my-camera
#
# scripts/container-root.mjs runs the steps of this file without a container engine.

FROM debian:trixie-slim AS build
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    ca-certificates \
    cmake \
    g++ \
    libgstreamer-plugins-bad1.0-dev \
    libgstreamer-plugins-base1.0-dev \
    libgstreamer1.0-dev \
    ninja-build \
    nodejs \
    npm \
    pkg-config \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY .npmrc package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY CMakeLists.txt tsconfig.json ./
COPY native native/
COPY scripts scripts/
COPY bin bin/
COPY lib lib/
RUN KVSB_SKIP_SYSTEM_PACKAGES=1 node scripts/build.mjs \
  && chmod 755 dist/bin/kvs-bridge.js \
  && npm prune --omit=dev --ignore-scripts

FROM debian:trixie-slim
# -ugly holds the H.264 encoder, for masters that send VP8, VP9 or AV1 and for "kvs-bridge publish".
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    ca-certificates \
    gstreamer1.0-nice \
    gstreamer1.0-plugins-bad \
    gstreamer1.0-plugins-base \
    gstreamer1.0-plugins-good \
    gstreamer1.0-plugins-ugly \
    gstreamer1.0-x \
    nodejs \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --home-dir /var/lib/kvs-bridge --create-home --shell /usr/sbin/nologin \
    kvs-bridge \
  && ln -s /opt/kvs-bridge/dist/bin/kvs-bridge.js /usr/local/bin/kvs-bridge
COPY --from=build /src/package.json /opt/kvs-bridge/
COPY --from=build /src/node_modules /opt/kvs-bridge/node_modules/
COPY --from=build /src/dist/bin /opt/kvs-bridge/dist/bin/
COPY --from=build /src/dist/lib /opt/kvs-bridge/dist/lib/
COPY --from=build /src/build/Release/kvs_bridge.node /opt/kvs-bridge/build/Release/
ENV NODE_ENV=production
# GStreamer scans its plugins once, here, not at each start.
ENV GST_REGISTRY=/opt/kvs-bridge/gst-registry.bin
RUN node --eval "import('/opt/kvs-bridge/dist/lib/media/native.js').then(({ loadNative }) => loadNative())"
USER kvs-bridge
WORKDIR /var/lib/kvs-bridge
ENTRYPOINT ["kvs-bridge"]
