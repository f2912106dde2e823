class Users {
    void update(String id) {
        String url = "https://api.zoom.us/v1/user/update";
        Map<String, String> form = new HashMap<>();
        form.put("id", id);
        form.put("dept", "Sales");
        post(url, form);
    }
}
