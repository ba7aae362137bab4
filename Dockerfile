# SPDX-License-Identifier: Apache-2.0
# One image for both services and the tools; the command says which.
# `make image` builds it, and the base image too where none can be pulled.

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/setup-debian.sh scripts/
RUN scripts/setup-debian.sh build
COPY . .
RUN make -j"$(nproc)" all && strip build/bin/*

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      libnng1 libprotobuf-c1 libconfig9 libsqlite3-0 libjansson4 zlib1g \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log
# A volume that is mounted here first takes over the owner.
RUN groupadd --system --gid 10001 cascade \
 && useradd --system --uid 10001 --gid cascade --home-dir /var/lib/cascade --shell /usr/sbin/nologin cascade \
 && install -d -o cascade -g cascade -m 750 /var/lib/cascade
COPY --from=build /src/build/bin/patient-svc /src/build/bin/report-svc /src/build/bin/rpcctl \
     /src/build/bin/sdtm-import /src/build/bin/study-gen /src/build/bin/patient-view /usr/local/bin/
COPY configs/compose/*.cfg /etc/cascade/
USER cascade
WORKDIR /var/lib/cascade
STOPSIGNAL SIGTERM
# Where this container's own service listens.
ENV CASCADE_URL=tcp://127.0.0.1:7001
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
  CMD rpcctl -a "$CASCADE_URL" -t 2s health || exit 1
CMD ["patient-svc", "-c", "/etc/cascade/patient-svc.cfg"]
