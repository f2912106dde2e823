# Our own API for zoom rooms.
BASE=https://rooms.example.com/v1
cat <<EOF
user/list
see user/get for one person
EOF
