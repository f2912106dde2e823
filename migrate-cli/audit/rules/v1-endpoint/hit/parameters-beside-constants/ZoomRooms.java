class ZoomRooms {
    String create(Map<String, String> form) {
        form.put("api_key", key);
        form.put("api_secret", secret);
        form.put("option_jbh", "true");
        return post(ZoomUrls.CREATE, form);
    }
}
