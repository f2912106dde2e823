import axios from 'axios';
// joins a Zoom meeting
export const create = () => axios.post('/meeting/create', {});
export const users = () => fetch('/user/list');
