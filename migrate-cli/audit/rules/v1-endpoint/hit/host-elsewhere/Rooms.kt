val answer = api.post("/v1/meeting/list", mapOf("api_key" to key, "api_secret" to secret), listOf("api_key", "api_secret"))
