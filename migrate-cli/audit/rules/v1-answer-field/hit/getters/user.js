request.post({ url: 'https://api.zoom.us/v1/user/get', form }, (error, answer, body) => {
  const user = JSON.parse(body)
  save(user.zpk, user.disable_chat, user['lastLoginTime'])
})
