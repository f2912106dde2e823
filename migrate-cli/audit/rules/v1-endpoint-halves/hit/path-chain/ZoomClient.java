class ZoomClient {
    Response users(Form form) {
        WebTarget target = client.target("https://api.zoom.us").path("v1");
        return target.path("user").path("list").request().post(Entity.form(form));
    }
}
