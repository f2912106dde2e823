const info = 'https://zoom.us/api/v1/wc/info?captcha=';
const rich = 'https://applications.zoom.us/api/v1/lti/rich';
const check = 'https://marketplace.zoom.us/api/v1/apps/validate';
const join = 'https://zoom.us/webinar/register/WN_1';
const users = 'https://api.zoom.us/v2/users';
const other = 'https://api.example.com/v1/user/list';
const beta = 'https://api.zoom.us/v10/user/list';
const odd = 'https://notapi.zoom.us.example.com/v1/user/list';
