exports.create = (settings, room) => request.post({
  url: settings.createUrl,
  form: { api_key: settings.key, api_secret: settings.secret, host_id: room.host, option_jbh: true },
})
