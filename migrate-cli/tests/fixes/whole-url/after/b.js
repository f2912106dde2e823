const zoom = require("zoom");
connect("https://shim.example.com/v1");
Zoom.init(`https://shim.example.com/v1/user/list?x=${y}`);
