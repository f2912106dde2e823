export const open = (host) => api.post('/meeting/create', { host_id: host, topic: 'Lesson' });
export const all = () => api.get('/meeting/list');
