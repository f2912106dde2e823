user = JSON.parse(Net::HTTP.post_form(URI('https://api.zoom.us/v1/user/get'), form).body)
puts user.fetch('zpk'), user.dig('disable_chat')
