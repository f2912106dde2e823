BASE=https://api.zoom.us/v1
export ROOT='https://api.zoom.us/v1/'
readonly URL="https://api.zoom.us/v1"
