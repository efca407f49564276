#!/usr/bin/env bash
# The container part of CI: builds the image, tests it and docker-compose.yml (from nothing to a delivered order, kill -9 of
# every container, nothing left behind), and runs integration tests on containers, with PostgreSQL as its image has it.
# It needs a Docker engine with Compose v2. Where none answers, ../shared/containers brings engine and images, if it is
# there; else all this is left out, and said so. CI_CONTAINER_TESTS=all runs every integration test on containers.
set -euo pipefail
cd "$(dirname "$0")/.."
# The Node of this project, as npm gives it to its scripts.
export PATH="$PWD/node_modules/.bin:$PATH"

kit=../shared/containers
# What talks to PostgreSQL, the broker, the registry and Temporal most closely; the rest goes the same ways.
chosen='stock-reservation|stock-levels|spend-limit|price-list|credit-notes|money\.test|carrier-updates|payment-simulator'
chosen+='|kafka-publisher|kafka-poison|publisher-order|ingest-orders|workflow-order|worker-role|integration/database'
[ "${CI_CONTAINER_TESTS:-}" != all ] || chosen=.

say() { printf '== containers, after %d s: %s\n' "$SECONDS" "$*"; }
has_engine() { docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }

started_engine=no
copy=
finish() {
  if [ "$started_engine" = yes ]; then "$copy/engine.sh" stop || true; fi
  if [ -n "$copy" ]; then rm -rf "$copy"; fi
}
trap finish EXIT

left_out() {
  printf 'LEFT OUT: image, docker-compose.yml and the integration tests on containers: %s.\n' "$*"
  echo "          Run tools/ci-containers.sh where a Docker engine with Compose answers."
  exit 0
}

if [ -x "$kit/engine.sh" ]; then
  # From a copy that may be written to: its builds take over the files' modes.
  copy=$(mktemp -d)
  cp -r "$kit/." "$copy"
  chmod -R u+w "$copy"
  has_engine || started_engine=yes
  say 'engine'
  "$copy/engine.sh" || left_out "$kit could not bring an engine, see above"
  say 'images'
  # The local stack has built this already.
  built=$PWD/.oms/lib/temporal-v1.5.1/temporal
  if [ -z "${OMS_TEMPORAL_BIN:-}" ] && [ -x "$built" ]; then export OMS_TEMPORAL_BIN=$built; fi
  "$copy/images.sh" || left_out "$kit could not bring the images, see above"
fi
has_engine || left_out "no Docker engine with Compose answers, and there is no $kit to bring one"

say 'the image'
OMS_IMAGE=oms:ci
OMS_VERSION=$(node -p 'require("./package.json").version')
OMS_REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)
export OMS_IMAGE OMS_VERSION OMS_REVISION
docker compose build --quiet setup
docker image inspect --format 'image of {{.Size}} bytes, {{index .Config.Labels "org.opencontainers.image.version"}}' "$OMS_IMAGE"

if audit=$(npm audit --omit=dev 2>&1); then
  echo 'npm audit: nothing known about the packages in the image'
elif grep -q 'audit endpoint returned an error' <<<"$audit"; then
  echo 'LEFT OUT: npm audit: the package registry answers no such question here'
else
  # Told, not failed: it changes with the world, not with the change that is tested.
  printf '%s\n' "$audit"
fi

say 'docker-compose.yml'
npm run --silent test:containers

say 'integration tests on containers'
run=(node --experimental-vm-modules node_modules/jest/bin/jest.js --selectProjects integration --testPathPatterns)
if ! OMS_TEST_STACK=containers "${run[@]}" "$chosen"; then
  echo 'Some tests failed on containers. Those files once more, on their own:'
  OMS_TEST_STACK=containers "${run[@]}" "$chosen" --onlyFailures --maxWorkers=1
fi
say 'done'
