old = JSON.parse(Net::HTTP.post_form(URI('https://api.zoom.us/v1/meeting/get'), data).body)
data[:option_jbh] = params[:option_jbh]
data['option_audio'] ||= params.fetch('option_audio')
data['option_host_video'] = old['option_host_video']
