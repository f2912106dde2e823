const base = 'https://api.zoom.us/v1';

Future<Response> users() => http.post(Uri.parse('$base/user/list'));
