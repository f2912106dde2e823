class ZoomRooms {
  String create(Room room) {
    Form form = new Form();
    form.add("api_key", settings.key());
    form.add("api_secret", settings.secret());
    form.add("option_jbh", "true");
    return client.post(settings.createUrl(), form);
  }
}
