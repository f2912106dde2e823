module example.com/rooms

require github.com/zoom-lib-golang/zoom-lib-golang v1.0.2
