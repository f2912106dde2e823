// Zoom rooms
const MEETING_DELETE = 'meeting/delete'

function find(email) {
  const url = 'user/getbyemail'
  return relay(url, { email })
}

function make(isWebinar, data) {
  const url = isWebinar ? 'webinar/create' : 'meeting/create'
  return relay({ path: url, data })
}

function remove(id) {
  return relay(MEETING_DELETE, { id })
}
