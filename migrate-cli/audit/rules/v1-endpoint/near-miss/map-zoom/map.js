map.setZoom(12);
const tiles = load('user/get', { zoom: 3 });
