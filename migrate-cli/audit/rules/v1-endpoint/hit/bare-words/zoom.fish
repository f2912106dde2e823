set -gx ZOOM https://api.zoom.us/v1
curl -s -d api_key=$KEY $ZOOM/user/list
for path in user/get user/pending
    curl -s -d api_key=$KEY $ZOOM/$path
end
