INSERT INTO `config` VALUES ('387', 's:23:"https://api.zoom.us/v1/";');
