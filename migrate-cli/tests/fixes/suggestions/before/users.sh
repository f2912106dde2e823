curl -s -d api_key=$KEY -d "api_secret=$SECRET" -d id=abc https://api.zoom.us/v1/user/delete
curl -d api_key=$KEY -d api_secret=$SECRET -d id="$ID" https://api.zoom.us/v1/user/delete
curl -d api_key=$KEY -d api_secret=$SECRET -d id=abc https://api.zoom.us/v1/user/get
