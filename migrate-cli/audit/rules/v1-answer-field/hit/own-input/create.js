const old = request.post({ url: 'https://api.zoom.us/v1/meeting/get', form })
const wanted = req.body
form.option_jbh = wanted.option_jbh
form['option_audio'] = req.query['option_audio']
form.settings.option_host_video = old.option_host_video
