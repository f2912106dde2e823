#!/usr/bin/env bash
# What the shim logged while the clients ran, at the level of trace: their requests, no secret.
#
# usage: log.sh LOG_FILE
set -euo pipefail
log=${1:?usage: log.sh LOG_FILE}

# Sent by the drivers or held by the sandbox.
secrets=(sandbox-secret sandbox-client-secret wrong-secret Analytical4Engine Difference5Engine eyJ0eXAi)

count=0
failed=0
check() {
  count=$((count + 1))
  if "${@:2}"; then
    echo "ok $count - $1"
  else
    failed=$((failed + 1))
    echo "not ok $count - $1"
  fi
}
lacks() {
  ! grep -n -F -m 3 -e "$1" "$log" | sed 's/^/# /'
}

check 'the log tells of the requests' grep -q 'POST /v1/user/getbyemail' "$log"
check 'the log has lines of the level trace' grep -q 'TRACE' "$log"
for secret in "${secrets[@]}"; do
  check "the log lacks ${secret:0:4}…" lacks "$secret"
done
echo "1..$count"
((failed == 0))
