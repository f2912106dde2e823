class A {
  private static final String BASE = "https://api.zoom.us/v1";
  public static final String OPEN = "https://api.zoom.us/v1";
  String url() { return "https://api.zoom.us/v1/"; }
}
