const url = 'https://api.zoom.us/v1/user/list';
static const apiKey = 'Jm4tQ8wZr2LxN7vBk5HsYd';
