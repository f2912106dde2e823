const zoom = require("zoom");
Zoom.init("https://shim.example.com/v1");
Zoom.init(`https://shim.example.com/v1/user/list?x=${y}`);
