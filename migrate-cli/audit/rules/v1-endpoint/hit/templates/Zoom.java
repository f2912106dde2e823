class Zoom {
  static final String BASE = "https://api.zoom.us";
  String list() throws Exception {
    String u = String.format("%s/v%d/%s", BASE, 1, "user/list");
    return post(u);
  }
}
