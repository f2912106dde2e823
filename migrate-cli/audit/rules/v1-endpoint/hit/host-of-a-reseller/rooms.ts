const host = 'https://zoom.example.com';
export const people = () => post(`${host}/v1/user/list`, form());
