#!/bin/sh
BASE=https://api.zoom.us/v1
while read -r path; do
  curl -s "$BASE/$path" -d api_key="$KEY"
done <<EOF
user/list
user/pending
EOF
cat <<EOF | ssh backup sh
# every night
curl -s -d api_key=$KEY $BASE/meeting/list
EOF
