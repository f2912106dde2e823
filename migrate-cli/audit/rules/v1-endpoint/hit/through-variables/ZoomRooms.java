class ZoomRooms {
  Answer find(String email) {
    String path = "user/getbyemail";
    return execute(path, Map.of("email", email));
  }

  Answer make(boolean webinar, Map<String, String> data) {
    String path = webinar ? "webinar/create" : "meeting/create";
    return execute(path, data);
  }
}
