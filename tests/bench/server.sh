#!/usr/bin/env bash
# What the shim costs beside a plain reverse proxy: the same stub of v2 behind nginx and behind the
# shim, one after the other in each round, one core for the process under test and another for the
# load and the stub. Ratios of one run mean something, times of one machine do not.
#
#   tests/bench/server.sh [ROUNDS]        5 rounds if not said
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
need nginx || { [ "$(id -u)" = 0 ] && apt-get install -y -qq nginx-light >/dev/null; }
need oha || cargo install --quiet --locked oha --root target/tools
PATH="$PWD/target/tools/bin:$PATH"
for tool in nginx oha python3 taskset; do
  need "$tool" || { echo "server.sh: $tool is missing" >&2; exit 2; }
done
cargo build --quiet --release -p shim

python3 tests/bench/server.py "$work" "$rounds" "$seconds"
