#!/usr/bin/env bash
# What the shim costs beside plain reverse proxies: the same stub of v2 behind nginx, behind a minimal
# proxy of the shim's own stack (minimal_proxy.rs) and behind the shim, one after the other in each
# round, at a fixed rate and saturated. One core for the process under test and another for the load
# and the stub. Ratios of one run mean something, times of one machine do not.
#
#   tests/bench/server.sh [ROUNDS]        5 rounds if not said
#
# BENCH_SECONDS: of each load, 4 if not said. BENCH_SHIM: another binary than the one that is built
# here. BENCH_MINIMAL_PROXY: the same for the minimal proxy. BENCH_LOG: what the shim logs to a file
# (RUST_LOG), info if not said; the others log nothing.
#
# Needs nginx, oha, python3 and taskset; installs nginx (apt) and oha (cargo) if it may. Everything
# listens on 127.0.0.1, load is bounded in rate and time, and all of it stops with the script.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds="${1:-5}"
seconds="${BENCH_SECONDS:-4}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

need() { command -v "$1" >/dev/null 2>&1; }

install_nginx() {
  [ "$(id -u)" = 0 ] && need apt-get || return 0
  export DEBIAN_FRONTEND=noninteractive
  timeout 300 apt-get install -y -qq --no-install-recommends nginx-light >/dev/null 2>&1 ||
    { timeout 300 apt-get update -qq >/dev/null &&
      timeout 300 apt-get install -y -qq --no-install-recommends nginx-light >/dev/null; } || true
}

# Some systems have it where only root looks.
PATH="$PWD/target/tools/bin:$PATH:/usr/sbin:/sbin"
need nginx || install_nginx
need oha || timeout 1800 cargo install --quiet --locked oha --root target/tools || true
for tool in nginx oha python3 taskset; do
  need "$tool" || { echo "server.sh: $tool is missing" >&2; exit 2; }
done
if [ -z "${BENCH_SHIM:-}" ]; then
  cargo build --quiet --profile dist --locked -p shim
  BENCH_SHIM="${CARGO_TARGET_DIR:-target}/dist/shim"
fi

if [ -z "${BENCH_MINIMAL_PROXY:-}" ]; then
  cargo build --quiet --profile dist --locked -p end-to-end --example minimal-proxy
  BENCH_MINIMAL_PROXY="${CARGO_TARGET_DIR:-target}/dist/examples/minimal-proxy"
fi

python3 tests/bench/server.py "$work" "$rounds" "$seconds" "$BENCH_SHIM" "$BENCH_MINIMAL_PROXY"
