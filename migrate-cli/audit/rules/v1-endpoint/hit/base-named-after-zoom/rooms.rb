HTTP.post("#{ENV['ZOOM_HOST']}/v1/user/list", form: form)
