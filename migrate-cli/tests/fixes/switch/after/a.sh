BASE="${ZOOM_API_BASE:-https://api.zoom.us/v1}"
export ROOT='https://api.zoom.us/v1/'
readonly URL="${ZOOM_API_BASE:-https://api.zoom.us/v1}"
