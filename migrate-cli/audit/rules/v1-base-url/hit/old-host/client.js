const client = new Client("http://www.zoom.us/api/v1");
