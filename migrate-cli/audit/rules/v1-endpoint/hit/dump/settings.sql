INSERT INTO `config` VALUES ('387', 'zoom_url', 'https://api.zoom.us/v1/');
INSERT INTO `config` VALUES ('388', 'zoom_create', 'meeting/create');
INSERT INTO `menu` VALUES ('1', 'user/create', 'People', 'UserController');
