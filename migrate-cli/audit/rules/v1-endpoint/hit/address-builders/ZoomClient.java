// Zoom
class ZoomClient {
    Response users(Form form) {
        return client.target(zoomBase).path("user/list").request().post(Entity.form(form));
    }

    URL pending() throws Exception {
        return new URL(zoomBase + "user/pending");
    }
}
