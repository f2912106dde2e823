class User {
  void show(Map<String, String> form) {
    JSONObject user = JSON.parseObject(post("https://api.zoom.us/v1/user/get", form));
    row.put("zpk", user.getString("zpk"));
    row.put("chat", user.optBoolean("disable_chat"));
  }
}
