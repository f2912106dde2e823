class Office {
    HttpHost host = new HttpHost("api.zoom.us", 443, "https");
    HttpResponse all() {
        return client.execute(host, new HttpPost("/v1/user/list"));
    }
}
