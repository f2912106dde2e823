Zoom.init("http://www.zoom.us/api/v1");
