const host = 'https://api.zoom.us'
const version = '/v1'
const url = `${host}${version}`
