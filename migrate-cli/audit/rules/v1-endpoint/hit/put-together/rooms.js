const zoomUrl = 'https://api.zoom.us/v1';
const room = (action, form) => axios.post(`${zoomUrl}/meeting/${action}`, form);
