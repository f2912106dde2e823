class List {
  static final String WORD = "Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i";
  String all(Map<String, String> form) {
    form.put("api_key", key);
    form.put("api_secret", WORD);
    return post("https://api.zoom.us/v1/user/list", form);
  }
}
