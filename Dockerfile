# kvs-bridge on Debian stable with Debian's own Node, which shares the system's OpenSSL with
# GStreamer, and the parts of Debian's own GStreamer that are used. For amd64 and arm64.
#
#   docker build --tag kvs-bridge .
#   docker build --tag kvs-bridge --build-arg KVSSINK_IMAGE=<an image with libgstkvssink.so> .
#
# scripts/container-root.mjs runs the steps of this file without a container engine.

# An image to take AWS's kvssink of; the base has none.
ARG KVSSINK_IMAGE=base

FROM debian:trixie-slim AS base
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get upgrade --yes \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

# What is compiled: the addon and the TypeScript.
FROM base AS build
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
    pkg-config
WORKDIR /src
COPY .npmrc package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY CMakeLists.txt tsconfig.json ./
COPY native native/
COPY scripts scripts/
COPY bin bin/
COPY lib lib/
RUN KVSB_SKIP_SYSTEM_PACKAGES=1 node scripts/build.mjs
RUN sh scripts/container/collect-app.sh /app

# What Debian has of it: some 300 packages, of which collect.mjs takes what is used.
FROM base AS system
RUN dpkg-query --show > /base-packages.txt \
  && apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    ca-certificates \
    fontconfig \
    gstreamer1.0-nice \
    gstreamer1.0-plugins-bad \
    gstreamer1.0-plugins-base \
    gstreamer1.0-plugins-good \
    gstreamer1.0-plugins-ugly \
    gstreamer1.0-tools \
    gstreamer1.0-x \
    nodejs \
    tini
COPY scripts/container/collect.mjs scripts/container/elements.txt /collect/
RUN node /collect/collect.mjs /base-packages.txt /collect/elements.txt /image /libraries.txt

# What another image has of kvssink.
FROM ${KVSSINK_IMAGE} AS kvssink
USER root
COPY --from=system /libraries.txt /collect/
COPY scripts/container/collect-kvssink.sh /collect/
RUN sh /collect/collect-kvssink.sh /collect/libraries.txt /collect/kvssink

FROM base
COPY --from=system /image/ /
COPY --from=kvssink /collect/kvssink/ /opt/kvssink/
COPY --from=build /app/ /opt/kvs-bridge/
COPY scripts/container/check-elements.mjs scripts/container/elements.txt /opt/kvs-bridge/container/
COPY scripts/container/kvs-bridge.sh /usr/local/bin/kvs-bridge
COPY scripts/container/healthcheck.sh /usr/local/bin/kvs-bridge-health
ENV NODE_ENV=production
# GStreamer scans its plugins once, here, and not at each start.
ENV GST_REGISTRY=/opt/kvs-bridge/gst-registry.bin
RUN kvs-bridge check-elements \
  && chmod 644 "$GST_REGISTRY" \
  && useradd --uid 10001 --no-log-init --home-dir /var/lib/kvs-bridge --create-home \
    --shell /usr/sbin/nologin kvs-bridge
ENV GST_REGISTRY_UPDATE=no
# The one folder that can be written with a read-only root file system.
ENV TMPDIR=/var/lib/kvs-bridge
ENV KVS_BRIDGE_SPOOL_DIR=/var/lib/kvs-bridge
ENV KVS_BRIDGE_HTTP_HOST=0.0.0.0
ENV KVS_BRIDGE_HTTP_PORT=9464
USER kvs-bridge
WORKDIR /var/lib/kvs-bridge
VOLUME ["/var/lib/kvs-bridge"]
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["kvs-bridge-health", "/readyz"]
ENTRYPOINT ["tini", "--", "kvs-bridge"]
CMD ["start"]
