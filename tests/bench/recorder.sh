#!/usr/bin/env bash
# What recording costs: the shim with its sandbox, once recording and once not, loaded in turn in each
# round, on the same cores. Ratios of one run mean something, numbers of one machine do not.
#
#   tests/bench/recorder.sh [ROUNDS]      7 rounds if not said
#
# SHIM names another binary than target/dist/shim, BENCH_SECONDS the seconds of one load. Needs oha
# (installed by cargo if it is not there) and python3. Everything listens on 127.0.0.1 and stops with
# the script; what is recorded goes into a folder that is removed.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds="${1:-7}"
seconds="${BENCH_SECONDS:-3}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

need() { command -v "$1" >/dev/null 2>&1; }
PATH="$PWD/target/tools/bin:$PATH"
need oha || cargo install --quiet --locked oha --root target/tools
for tool in oha python3; do
  need "$tool" || { echo "recorder.sh: $tool is missing" >&2; exit 2; }
done
if [ -z "${SHIM:-}" ]; then
  cargo build --quiet --profile dist -p shim
  SHIM=target/dist/shim
fi

SHIM="$SHIM" python3 tests/bench/recorder.py "$work" "$rounds" "$seconds"
