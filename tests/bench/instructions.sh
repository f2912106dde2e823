#!/usr/bin/env bash
# Counts the instructions of the core's, the shim's and the audit's work under valgrind and compares them with
# the budget in instructions.toml. Counts are repeatable on noisy machines, times are not.
#
#   tests/bench/instructions.sh            fails if something costs more than its budget allows
#   tests/bench/instructions.sh --update   writes what is counted as the new budget
#
# Needs valgrind, and installs it (apt) if it may. Where there is none it says so and passes.
set -euo pipefail
cd "$(dirname "$0")/../.."

need() { command -v "$1" >/dev/null 2>&1; }

install_valgrind() {
  [ "$(id -u)" = 0 ] && need apt-get || return 0
  export DEBIAN_FRONTEND=noninteractive
  timeout 300 apt-get install -y -qq --no-install-recommends valgrind >/dev/null 2>&1 ||
    { timeout 300 apt-get update -qq >/dev/null &&
      timeout 300 apt-get install -y -qq --no-install-recommends valgrind >/dev/null; } || true
}

need valgrind || install_valgrind
for tool in valgrind python3; do
  need "$tool" || { echo "NOT CHECKED: $tool is missing, so no instructions were counted" >&2; exit 0; }
done
exec python3 tests/bench/instructions.py "$@"
