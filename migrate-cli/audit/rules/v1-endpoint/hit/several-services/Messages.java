public class Messages {
    private static final String ZOOM = "https://api.zoom.us/v1/";

    static String identity(String code) {
        String url = "https://login.example.com/oauth/token?code=" + code;
        return read(url);
    }

    static String ask(Map<String, String> form, String url) throws IOException {
        form.put("api_key", KEY);
        form.put("api_secret", SECRET);
        return send(new PostMethod(ZOOM + url), form);
    }
}
