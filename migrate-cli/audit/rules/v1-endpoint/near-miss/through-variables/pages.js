// Opens Zoom in another window.
function people(router) {
  const page = 'user/list'
  console.log(page)
  return router.push(page)
}

function rooms() {
  const page = 'meeting/create'
  return load(page)
}
