// The value of another function is no credential.
const list = (row) => zoom.post('https://api.zoom.us/v1/user/list', { api_key: row.api_key, api_secret: row.s })

function people(s) {
  return zoom.post('https://api.zoom.us/v1/user/list', { api_key: process.env.KEY, api_secret: s })
}

function picture() {
  const s = 'Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i'
  return draw(s)
}
