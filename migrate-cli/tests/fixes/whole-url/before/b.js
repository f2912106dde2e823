const zoom = require("zoom");
connect("http://www.zoom.us/api/v1");
Zoom.init(`https://dev.zoom.us/v1/user/list?x=${y}`);
