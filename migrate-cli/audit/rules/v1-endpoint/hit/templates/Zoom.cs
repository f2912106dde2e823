class Zoom {
  const string Base = "https://api.zoom.us";
  Task List() {
    var u = string.Format("{0}/v{1}/{2}", Base, 1, "user/list");
    return client.PostAsync(u, body);
  }
}
