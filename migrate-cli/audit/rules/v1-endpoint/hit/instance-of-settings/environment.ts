export const environment = {
  apiUrl: 'http://localhost:3000/api/v1',
  zoomUrl: 'https://api.zoom.us/v1',
};
