class Create {
  void create(HttpServletRequest request, Map<String, String> data) {
    JSONObject old = JSON.parseObject(post("https://api.zoom.us/v1/meeting/get", data));
    data.put("option_jbh", request.getParameter("option_jbh"));
    data.put("option_host_video", old.getString("option_host_video"));
  }
}
