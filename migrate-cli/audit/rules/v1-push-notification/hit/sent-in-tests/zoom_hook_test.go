package hook

import "strings"

var ended = strings.NewReader("id=234&uuid=a1b2c3%3D%3D&status=ENDED&host_id=x9")
var recorded = "https://hooks.example.com/zoom?type=RECORDING_MEETING_COMPLETED&content=%7B%7D"
