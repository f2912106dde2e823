#!/usr/bin/env bash
# What thousands of idle connections and hundreds of slow senders do to a fast client, and what they
# cost in memory.
#
#   tests/bench/connections.sh [IDLE SLOW]     5000 and 500 if not said
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --quiet --profile dist -p shim
python3 tests/bench/connections.py target/dist/shim "$@"
