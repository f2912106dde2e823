axios.defaults.baseURL = 'https://api.zoom.us/v1';
const people = () => axios.post('/user/list', credentials);
