#!/usr/bin/env bash
# What the shim costs beside a plain reverse proxy: the same stub of v2 behind nginx and behind the
# shim, one after the other in each round, one core for the process under test and another for the
# load and the stub. Ratios of one run mean something, times of one machine do not.
#
#   tests/bench/server.sh [ROUNDS]        5 rounds if not said
#
# BENCH_SECONDS: of each load, 4 if not said. BENCH_SHIM: another binary than the one that is built
# here. BENCH_LOG: what the shim logs (RUST_LOG), nothing if not said, as nginx does.
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

python3 tests/bench/server.py "$work" "$rounds" "$seconds" "$BENCH_SHIM"
