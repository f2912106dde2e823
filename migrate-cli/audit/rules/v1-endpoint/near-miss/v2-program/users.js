// The program's own users; meetings are on Zoom.
export const list = () => client.get('/user/getbyemail');
export const create = () => client.post(BASE_URL + '/user/create');
