# The image of the Home Assistant app, and of plain Docker. What it installs is pinned with hashes
# in addon/requirements (made by scripts/lock); nothing is compiled.
# scripts/build-image builds and measures it where no Docker daemon runs.

# Debian 13 with s6-overlay and bashio, one manifest for amd64 and arm64.
ARG BASE=ghcr.io/home-assistant/base-debian:trixie-2026.08.0@sha256:01e153da2c2579f2cf5010901da7bc31b1dd035921ea46ccaff22e521efa74a7

FROM ${BASE} AS build

SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# Debian withdraws a version when it publishes its successor, so a pinned one soon fails to build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils python3 python3-pip python3-setuptools

# `cuda` for NVIDIA's graphics cards (a driver on the host is enough), `cluster` for servers and
# workers that share a queue in Redis, and recordings on S3; `cpu` is what others need.
ARG ACCELERATOR=cpu
WORKDIR /src
COPY addon/requirements/${ACCELERATOR}.txt requirements.txt
RUN python3 -m venv --without-pip /opt/wyoming-stt \
    && python3 -m pip --python /opt/wyoming-stt/bin/python install --no-cache-dir --no-compile \
        --no-deps --only-binary :all: --require-hashes --requirement requirements.txt

COPY addon/trim /usr/local/bin/trim
COPY LICENSE README.md pyproject.toml ./
COPY wyoming_stt wyoming_stt
# Bytecode carries a hash instead of a time: the same sources give the same image.
RUN python3 -m pip wheel --no-cache-dir --no-deps --no-index --no-build-isolation --wheel-dir /wheel . \
    && python3 -m pip --python /opt/wyoming-stt/bin/python install --no-cache-dir --no-compile \
        --no-deps --no-index --find-links /wheel wyoming-stt \
    && trim /opt/wyoming-stt \
    && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/wyoming-stt/lib


FROM ${BASE}

SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/cache/apt/* /var/cache/ldconfig/* /var/lib/apt/lists/* /var/log/* \
    && useradd --system --user-group --home-dir /data --shell /usr/sbin/nologin stt \
    && install --directory --owner stt --group stt /data /data/models

COPY --from=build /opt/wyoming-stt /opt/wyoming-stt
COPY addon/rootfs /

# NVIDIA's libraries lie in Python packages, where the loader does not look; none are there on `cpu`.
RUN find /opt/wyoming-stt/lib -type d -path '*/nvidia/*/lib' > /etc/ld.so.conf.d/wyoming-stt.conf \
    && ldconfig

ENV PATH="/opt/wyoming-stt/bin:${PATH}" \
    WYOMING_STT_WYOMING__URI=tcp://0.0.0.0:10300

# Wyoming, and HTTP.
EXPOSE 10300 10301

# `describe` is answered while a model is still being fetched or loaded, so minutes are enough.
HEALTHCHECK --start-period=2m --interval=30s --timeout=10s CMD ["wyoming-stt", "health"]

ARG BUILD_VERSION=0.1.0
ARG BUILD_ARCH=
LABEL \
    io.hass.type="app" \
    io.hass.name="Wyoming STT" \
    io.hass.version="${BUILD_VERSION}" \
    io.hass.arch="${BUILD_ARCH}" \
    org.opencontainers.image.title="wyoming-stt" \
    org.opencontainers.image.description="Local speech-to-text for Home Assistant" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${BUILD_VERSION}"
