request.post({ url: 'https://api.zoom.us/v1/user/get', form }, (error, answer, body) => {
  const { zpk, lastLoginTime: seen } = JSON.parse(body)
  save(zpk, seen)
})
