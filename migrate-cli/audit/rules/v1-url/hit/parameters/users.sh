curl https://api.zoom.us/v1/user/update -d api_key=$KEY -d api_secret=$SECRET -d id=$ID -d dept=$DEPT
curl --data "api_key=$KEY&api_secret=$SECRET&id=$ID" \
  https://api.zoom.us/v1/user/get
