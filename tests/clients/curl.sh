#!/usr/bin/env bash
# Every way in which v1 programs wrapped their parameters, sent by curl.
#
# usage: curl.sh V1_URL API_KEY API_SECRET
set -euo pipefail

if (($# != 3)); then
  sed -n '2,4p' "$0" >&2
  exit 2
fi
url=$1
key=$2
secret=$3
form=(-d "api_key=$key" -d "api_secret=$secret")
query="api_key=$key&api_secret=$secret"
json='Content-Type: application/json'
ada=ada.lovelace@example.com

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The first bytes make it a JPEG; the rest holds what a careless parser stumbles over.
printf '\xff\xd8\xff\xe0\x00\x10JFIF\x00\r\n--\r\n&=%%\xff\xd9' >"$scratch/me.jpg"

count=0
failed=0

# check NAME WANTED… -- ARGUMENTS: curl's answer with its head has all that is WANTED; nothing of
# what is WANTED with a ! in front.
check() {
  local name=$1 wanted=() text answer missing=
  shift
  while [[ $1 != -- ]]; do
    wanted+=("$1")
    shift
  done
  shift
  count=$((count + 1))
  answer=$(curl -sS -i --max-time 15 "$@" 2>&1 | tr -d '\0') || true
  for text in "${wanted[@]}"; do
    if [[ $text == '!'* ]]; then
      [[ $answer != *"${text#!}"* ]] || missing="has ${text#!}"
    else
      [[ $answer == *"$text"* ]] || missing="lacks $text"
    fi
  done
  if [[ -z $missing ]]; then
    echo "ok $count - $name"
  else
    failed=$((failed + 1))
    echo "not ok $count - $name"
    echo "# $missing"
    sed 's/^/# /' <<<"${answer:0:2000}"
  fi
}

is_ada=('HTTP/1.1 200' 'content-type: application/json' "\"email\":\"$ada\"" '!"error"')

# ---- where parameters may stand ---------------------------------------------------------------

check 'form' "${is_ada[@]}" -- "${form[@]}" -d "email=$ada" "$url/user/getbyemail"
check 'form with a charset' "${is_ada[@]}" -- \
  -H 'Content-Type: application/x-www-form-urlencoded; charset=utf-8' \
  "${form[@]}" -d "email=$ada" "$url/user/getbyemail"
check 'query only, empty body, no content type' "${is_ada[@]}" -- \
  -X POST "$url/user/getbyemail?$query&email=$ada"
check 'query only, Content-Length 0' "${is_ada[@]}" -- \
  -X POST -H 'Content-Length: 0' "$url/user/getbyemail?$query&email=$ada"
check 'query only, JSON content type, empty body' "${is_ada[@]}" -- \
  -X POST -H "$json" "$url/user/getbyemail?$query&email=$ada"
check 'query, and a JSON body that means nothing' "${is_ada[@]}" -- \
  -H "$json" -d '{"hello": ["world", {"email": "nobody@example.com"}]}' \
  "$url/user/getbyemail?$query&email=$ada"
check 'query, and a body that is not even JSON' "${is_ada[@]}" -- \
  -H "$json" -d 'null' "$url/user/getbyemail?$query&email=$ada"
check 'JSON body' "${is_ada[@]}" -- -H "$json" \
  -d "{\"api_key\": \"$key\", \"api_secret\": \"$secret\", \"email\": \"$ada\", \"login_type\": 100}" \
  "$url/user/getbyemail"
check 'multipart for an operation that needs none' "${is_ada[@]}" -- \
  -F "api_key=$key" -F "api_secret=$secret" -F "email=$ada" "$url/user/getbyemail"
check 'credentials in the query, parameters in the form' "${is_ada[@]}" -- \
  -d "email=$ada" "$url/user/getbyemail?$query"
check 'query wins over form' "${is_ada[@]}" -- \
  "${form[@]}" -d email=nobody@example.com "$url/user/getbyemail?email=$ada"
check 'chunked form' "${is_ada[@]}" -- -H 'Transfer-Encoding: chunked' \
  "${form[@]}" -d "email=$ada" "$url/user/getbyemail"
check 'Expect: 100-continue' "${is_ada[@]}" -- -H 'Expect: 100-continue' \
  "${form[@]}" -d "email=$ada" "$url/user/getbyemail"
check 'HTTP/1.0' '"email":"'"$ada" -- --http1.0 "${form[@]}" -d "email=$ada" "$url/user/getbyemail"

# ---- spellings --------------------------------------------------------------------------------

check 'trailing slash' "${is_ada[@]}" -- "${form[@]}" -d "email=$ada" "$url/user/getbyemail/"
check 'trailing slash before a query' "${is_ada[@]}" -- -X POST "$url/user/getbyemail/?$query&email=$ada"
check 'two slashes after the base' "${is_ada[@]}" -- "${form[@]}" -d "email=$ada" "$url//user/getbyemail"
check 'operation in another case' "${is_ada[@]}" -- "${form[@]}" -d "email=$ada" "$url/User/getByEmail"
check 'alias user/scheduleforhost' '"total_records":1' 'grace.hopper@example.com' -- \
  "${form[@]}" -d "host_email=$ada" "$url/user/scheduleforhost"
check 'blanks as + and as %20' '"updated_at"' -- \
  "${form[@]}" -d "id=$ada" -d 'dept=Analytical+Engines%20%26+%E2%88%AB' "$url/user/update"
check '... as they are read' '"dept":"Analytical Engines & ∫"' -- \
  "${form[@]}" -d "id=$ada" "$url/user/get"
check 'switches: 1 and 0' '"updated_at"' -- \
  "${form[@]}" -d "id=$ada" -d disable_chat=1 -d enable_waiting_room=0 "$url/user/update"
check '... as they are read' '"disable_chat":true' '"enable_waiting_room":false' -- \
  "${form[@]}" -d "id=$ada" "$url/user/get"
check 'switches: False and TRUE' '"updated_at"' -- \
  "${form[@]}" -d "id=$ada" -d disable_chat=False -d enable_waiting_room=TRUE "$url/user/update"
check '... as they are read' '"disable_chat":false' '"enable_waiting_room":true' -- \
  "${form[@]}" -d "id=$ada" "$url/user/get"
check 'empty parameters are absent ones' '"id":' '"host_email":' '!"error"' -- \
  "${form[@]}" -d id= -d "host_email=$ada" -d assistant_email=grace.hopper@example.com \
  "$url/user/assistant/set"
check 'unknown parameters are ignored' "${is_ada[@]}" -- \
  "${form[@]}" -d "email=$ada" -d enable_cmr=x -d colour=blue "$url/user/getbyemail"
check 'a lost parameter is named in a header' 'x-shim-warning: track_id' '"updated_at"' -- \
  "${form[@]}" -d "id=$ada" -d track_id=7 "$url/user/update"

# ---- XML --------------------------------------------------------------------------------------

check 'XML' 'content-type: application/xml' "<email>$ada</email>" '<disable_chat>false</disable_chat>' -- \
  "${form[@]}" -d data_type=XML -d "email=$ada" "$url/user/getbyemail"
check 'xml in lower case, in the query' '<users><user><id>' '</user><user>' -- \
  -X POST "$url/user/list?$query&data_type=xml&page_size=2"
check 'errors as XML' '<result><error><code>1001</code>' -- \
  "${form[@]}" -d data_type=xml -d id=nobody "$url/user/get"
check 'other values of data_type mean JSON' "${is_ada[@]}" -- \
  "${form[@]}" -d data_type=yaml -d "email=$ada" "$url/user/getbyemail"

# ---- pictures ---------------------------------------------------------------------------------

no_picture=alan.turing@example.com
check 'picture: multipart' '"updated_at"' '!"error"' -- \
  -F "api_key=$key" -F "api_secret=$secret" -F "id=$no_picture" \
  -F "pic_file=@$scratch/me.jpg;type=application/octet-stream" "$url/user/uploadpicture"
check 'picture: as it is read' '"pic_url":"https' -- "${form[@]}" -d "id=$no_picture" "$url/user/get"
check 'picture: to user/updatepassword, as v1 described it once' '"updated_at"' '!"error"' -- \
  -F "api_key=$key" -F "api_secret=$secret" -F "id=$no_picture" \
  -F "pic_file=@$scratch/me.jpg" "$url/user/updatepassword"
check 'picture: credentials in the query' '"updated_at"' '!"error"' -- \
  -F "pic_file=@$scratch/me.jpg" "$url/user/uploadpicture?$query&id=$no_picture"

# As .NET's MultipartFormDataContent writes it: names without quotes, the type first, two names of
# the file, texts with a charset; the boundary is quoted in the header.
boundary=6f5b0c1e-7d57-4e0c-9a5c-3f4d2f0f6d11
{
  for part in "api_key $key" "api_secret $secret" "id $no_picture"; do
    printf -- '--%s\r\nContent-Type: text/plain; charset=utf-8\r\n' "$boundary"
    printf 'Content-Disposition: form-data; name=%s\r\n\r\n%s\r\n' "${part%% *}" "${part#* }"
  done
  printf -- '--%s\r\nContent-Type: application/octet-stream\r\n' "$boundary"
  printf "Content-Disposition: form-data; name=pic_file; filename=me.jpg; filename*=utf-8''me.jpg\r\n\r\n"
  cat "$scratch/me.jpg"
  printf -- '\r\n--%s--\r\n' "$boundary"
} >"$scratch/powershell.body"
check "picture: as PowerShell's HttpClient writes it" '"updated_at"' '!"error"' -- \
  -H "Content-Type: multipart/form-data; boundary=\"$boundary\"" \
  --data-binary "@$scratch/powershell.body" "$url/user/uploadpicture"
check 'picture: multipart without a boundary' '"code":300' -- \
  -H 'Content-Type: multipart/form-data' \
  --data-binary "@$scratch/powershell.body" "$url/user/uploadpicture"
head -c 300 "$scratch/powershell.body" >"$scratch/broken.body"
check 'picture: multipart that breaks off' '"error":{"code":300' -- \
  -H "Content-Type: multipart/form-data; boundary=$boundary" \
  --data-binary "@$scratch/broken.body" "$url/user/uploadpicture"
check 'picture: a form that says it is multipart' '"updated_at"' '!"error"' -- \
  -H 'Content-Type: multipart/form-data' \
  -d "$query&id=$no_picture&pic_file=%FF%D8%FF%E0%00%10JFIF" "$url/user/uploadpicture"
check 'picture: a file that is not a picture' '"error":{"code":120' -- \
  -F "api_key=$key" -F "api_secret=$secret" -F "id=$no_picture" -F 'pic_file=no picture;filename=me.jpg' \
  "$url/user/uploadpicture"
check 'picture: field left empty' 'Pic_file is required.' -- \
  -F "api_key=$key" -F "api_secret=$secret" -F "id=$no_picture" -F 'pic_file=' "$url/user/uploadpicture"

# ---- what is wrong ----------------------------------------------------------------------------

check 'no credentials' 'HTTP/1.1 200' '{"error":{"code":300,"message":"Api key and secret are required."}}' -- \
  -X POST "$url/user/list"
check 'empty secret' '"code":300,"message":"Api key and secret are required."' -- \
  -d "api_key=$key" -d api_secret= "$url/user/list"
check 'wrong secret' 'HTTP/1.1 200' '{"error":{"code":200,"message":"Invalid api key or secret"}}' -- \
  -d "api_key=$key" -d api_secret=wrong-secret "$url/user/list"
check 'HTTP Basic is no way in' '"code":300' -- -X POST -u "$key:$secret" "$url/user/list"
check 'missing parameter' '"code":300,"message":"Id is required."' -- "${form[@]}" "$url/user/get"
check 'malformed number' '"code":300,"message":"Invalid parameter: page_number"' -- \
  "${form[@]}" -d page_number=1.5 "$url/user/list"
check 'number beyond all ranges' '"code":300,"message":"Invalid parameter: page_size"' -- \
  "${form[@]}" -d page_size=99999999999999999999 "$url/user/list"
check 'text that is not UTF-8 is of old Windows' 'x-shim-warning: dept: not UTF-8' '"updated_at"' -- \
  "${form[@]}" -d "id=$ada" -d 'dept=%FF%FE' "$url/user/update"
check 'unknown operation' 'HTTP/1.1 404' '{"error":{"code":404' -- "${form[@]}" "$url/user/fly"
check 'GET' 'HTTP/1.1 405' 'allow: POST' '"error":{"code":405' -- "$url/user/list?$query"
check 'GET user/me without credentials' 'HTTP/1.1 405' '"error":{"code":405' -- "$url/user/me"
check 'PUT' 'HTTP/1.1 405' '"error":{"code":405' -- -X PUT "${form[@]}" "$url/user/list"
head -c 8000000 /dev/zero | tr '\0' 'a' >"$scratch/large.body"
check 'too large body' 'HTTP/1.1 200' '"error":{"code":300,"message":"The request is too large."' -- -H 'Expect:' \
  --data-binary "@$scratch/large.body" "$url/user/uploadpicture?$query&id=$no_picture"
check 'ten kilobytes of id' '"code":300,"message":"Invalid parameter: id"' -- \
  "${form[@]}" -d "id=$(head -c 10240 "$scratch/large.body")" "$url/user/get"
check 'ids with what URLs are made of' 'User not exist: ../users?a=b#c%2F/&' -- \
  "${form[@]}" --data-urlencode 'id=../users?a=b#c%2F/&' "$url/user/get"
check 'me is no id' 'User not exist: me' -- "${form[@]}" -d id=me "$url/user/get"
check 'a line break does not get into a header' 'User not exist: a\r\nX-Evil: 1' '!
X-Evil: 1' -- "${form[@]}" --data-urlencode "id=$(printf 'a\r\nX-Evil: 1')" "$url/user/get"
check 'outside v1' 'HTTP/1.1 404' '404 Not Found' -- "${url%/v1}/v3/user/list"

# ---- meetings ---------------------------------------------------------------------------------

check 'meeting: form' '"topic":"Note G"' '"start_time":"2031-05-01T09:30:00Z"' '"start_url":"https' '!"error"' -- \
  "${form[@]}" -d "host_id=$ada" -d type=2 -d 'topic=Note G' -d start_time=2031-05-01T09:30:00Z \
  -d option_jbh=True -d '+option_host_video=1' "$url/meeting/create"
check 'meeting: query, JSON content type, empty body' '"topic":"T"' '"type":3' '!"error"' -- \
  -X POST -H "$json" "$url/meeting/create?$query&host_id=$ada&type=3&topic=T"
check 'meeting: JSON body with an object' '"type":8' '!"error"' -- -H "$json" \
  -d "{\"api_key\": \"$key\", \"api_secret\": \"$secret\", \"host_id\": \"$ada\", \"type\": 8,
       \"topic\": \"Series of curl\", \"start_time\": \"2031-05-01T09:30:00Z\",
       \"recurrence\": {\"type\": 1, \"repeat_interval\": 1, \"end_times\": 3}}" "$url/meeting/create"
check 'meeting: XML' '<join_url>https' '<start_url>https' '!<error>' -- \
  "${form[@]}" -d data_type=XML -d "host_id=$ada" -d type=1 -d topic=T "$url/meeting/create"
check 'meeting: list below /api/v1' '"topic":"Series of curl"' '"total_records"' -- \
  "${form[@]}" -d "host_id=$ada" -d page_size=300 "${url%/v1}/api/v1/meeting/list"
check 'meeting: an empty occurrence_id' '"code":300,"message":"Invalid parameter: occurrence_id"' -- \
  "${form[@]}" -d "host_id=$ada" -d id=99999999999 -d occurrence_id= "$url/meeting/delete"
check 'meeting: unknown' '"code":3001,"message":"Meeting 99999999999 is not found or has expired."' -- \
  "${form[@]}" -d "host_id=$ada" -d id=99999999999 "$url/meeting/delete"
check 'webinar: panelists as an array of a JSON body' '"registration_url"' '!"error"' -- -H "$json" \
  -d "{\"api_key\": \"$key\", \"api_secret\": \"$secret\", \"host_id\": \"mary.jackson@example.com\",
       \"topic\": \"T\", \"panelists\": [{\"name\": \"Ann\", \"email\": \"ann@example.net\"}]}" \
  "$url/webinar/create"

# ---- the PHP class that sends everything twice --------------------------------------------------

twice=("${form[@]}" -d email=twice@example.com -d type=2 "$url/user/custcreate")
check 'a create twice on one connection: made, then there already' \
  '"email":"twice@example.com"' '"error":{"code":1005,"message":"User already in the account: twice@example.com"}' \
  'Re-using existing connection' -- -v "${twice[@]}" --next -sS -i -v "${twice[@]}"
twice=("${form[@]}" -d id=twice@example.com -d dept=Twice "$url/user/update")
check 'an update twice on one connection: the same' '"updated_at"' '!"error"' -- \
  "${twice[@]}" --next -sS -i "${twice[@]}"
twice=("${form[@]}" -d email=twice@example.com "$url/user/permanentdelete")
check 'a delete twice on one connection: gone, then unknown' '"deleted_at"' '"code":1001' -- \
  "${twice[@]}" --next -sS -i "${twice[@]}"
check 'its delete sends no id' '"code":300,"message":"Id is required."' -- "${form[@]}" "$url/user/delete"

echo "1..$count"
((failed == 0))
