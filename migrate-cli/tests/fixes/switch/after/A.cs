class A {
  const string Base = "https://api.zoom.us/v1";
  static readonly string Root = System.Environment.GetEnvironmentVariable("ZOOM_API_BASE") ?? "https://api.zoom.us/v1";
  string Url(string p) { return "https://api.zoom.us/v1/" + p; }
  void Set(string b = "https://api.zoom.us/v1") { var x = System.Environment.GetEnvironmentVariable("ZOOM_API_BASE") ?? "https://api.zoom.us/v1"; }
}
