const address = new URL('user/getbyemail', settings.zoomBase);
