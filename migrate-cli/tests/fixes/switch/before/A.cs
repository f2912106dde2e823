class A {
  const string Base = "https://api.zoom.us/v1";
  static readonly string Root = "https://api.zoom.us/v1";
  string Url(string p) { return "https://api.zoom.us/v1/" + p; }
  void Set(string b = "https://api.zoom.us/v1") { var x = "https://api.zoom.us/v1"; }
}
