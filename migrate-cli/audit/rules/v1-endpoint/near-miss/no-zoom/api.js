export const list = () => request('/user/list');
export const email = (email) => client.post('/user/getByEmail', { email });
