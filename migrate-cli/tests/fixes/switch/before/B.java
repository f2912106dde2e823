class B {
  private static final String ROOT = "https://api.zoom.us/v1";
  @Client(ROOT) Object client;
}
