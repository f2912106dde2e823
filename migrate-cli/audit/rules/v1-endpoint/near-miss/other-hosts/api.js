const cars = 'https://api.zoomcars.example.com';
export const list = () => post(cars + '/v1/user/list', {});
export const rooms = () => post('https://zoom.example.com/v2/meeting/create', {});
export const own = () => post('https://zoom.example.com/api/user/create', {});
