#!/bin/sh
# Lists the users: https://api.zoom.us/v1/user/list
curl -s -d "api_key=$KEY" -d "api_secret=$SECRET" https://api.zoom.us/v1/user/list |
  jq -r '.users[].email'
BASE=https://api.zoom.us/v1
curl -s -d "api_key=$KEY" "$BASE/user/pending"
