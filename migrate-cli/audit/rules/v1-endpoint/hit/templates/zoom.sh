BASE=https://api.zoom.us
curl -d api_key="$KEY" "$(printf '%s/v%d/%s' "$BASE" 1 user/list)"
