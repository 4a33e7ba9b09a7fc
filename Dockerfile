# syntax=docker/dockerfile:1
# One image with every program; what a container is, its command says.

FROM rust:1.95-bookworm AS chef
RUN cargo install cargo-chef --locked
WORKDIR /build

FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
# Dependencies are a layer of their own: it is made anew only when they change.
COPY --from=plan /build/recipe.json recipe.json
RUN cargo chef cook --release --locked --recipe-path recipe.json
COPY . .
RUN cargo build --release --locked --workspace --exclude system-tests --bins && \
    mkdir /programs && find target/release -maxdepth 1 -type f -executable -exec cp {} /programs \;

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --uid 10001 --create-home --home-dir /var/lib/atlas-sync atlas
COPY --from=build /programs/ /usr/local/bin/
COPY deploy/healthy /usr/local/bin/healthy
USER 10001
WORKDIR /var/lib/atlas-sync
ENV ATLAS_LISTEN=0.0.0.0:8480 ATLAS_HEALTH_LISTEN=0.0.0.0:8481 ATLAS_LOG_FORMAT=json
EXPOSE 8480 8481
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["healthy"]
CMD ["atlas-sync", "serve"]
