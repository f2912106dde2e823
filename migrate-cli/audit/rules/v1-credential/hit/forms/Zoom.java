class Zoom {
    static final String URL = "https://api.zoom.us/v1/user/list";
    static final String API_KEY = "Jm4tQ8wZr2LxN7vBk5HsYd";
    void list() {
        form.put("api_secret", "c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a");
    }
}
