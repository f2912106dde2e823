const base = process.env.ZOOM_URL || 'https://api.zoom.us/v1';
const call = (path, form) => got.post(`${base}/${path}`, { form: { ...form, api_key, api_secret } });
module.exports = { call };
