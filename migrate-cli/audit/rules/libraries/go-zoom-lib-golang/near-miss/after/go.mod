module example.com/rooms

require github.com/zoom-lib-golang/zoom-lib-golang v0.0.0-20190412153045-0c1f2a3b4d5e
