-- settings
INSERT INTO `config` VALUES ('387', 'url1', 'https://api.zoom.us/v1/', 'zoom', '');
