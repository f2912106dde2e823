local all = http.post("/v1/user/list", { api_key = key, api_secret = secret })
