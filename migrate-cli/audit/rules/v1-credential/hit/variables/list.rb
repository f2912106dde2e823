WORD = 'Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i'
Net::HTTP.post_form(URI('https://api.zoom.us/v1/user/list'), 'api_key' => KEY, 'api_secret' => WORD)
