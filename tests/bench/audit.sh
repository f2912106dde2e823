#!/usr/bin/env bash
# What the audit costs beside rg, ast-grep and semgrep that look for the same, on one tree of
# packages' sources with a few clients of v1 among them; findings are counted beside the times.
# Ratios of one run mean something, times of one machine do not.
#
#   tests/bench/audit.sh [ROUNDS]         5 rounds if not said
#
# Needs cargo, npm, python3 and rg; installs hyperfine (cargo), ast-grep and semgrep (PyPI) into
# target/bench if they are missing, and downloads the packages of audit-packages.txt there, once.
# BENCH_SKIP="semgrep" leaves tools out, BENCH_TREE=DIR takes another tree.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds="${1:-5}"
folder="$PWD/target/bench"
mkdir -p "$folder"
export PATH="$folder/tools/bin:$folder/python/bin:$PATH"

need() { command -v "$1" >/dev/null 2>&1; }
wanted() { [[ " ${BENCH_SKIP:-} " != *" $1 "* ]]; }
virtual() { [ -x "$folder/python/bin/pip" ] || python3 -m venv "$folder/python"; }
need rg || cargo install --quiet --locked ripgrep --root "$folder/tools"
need hyperfine || cargo install --quiet --locked hyperfine@1.20.0 --root "$folder/tools"
! wanted ast-grep || need ast-grep || { virtual && "$folder/python/bin/pip" install -q ast-grep-cli==0.38.7; }
! wanted semgrep || need semgrep || { virtual && "$folder/python/bin/pip" install -q semgrep==1.128.1; }
cargo build --quiet --profile dist -p migrate-cli

python3 tests/bench/audit.py "$folder" "$rounds"
