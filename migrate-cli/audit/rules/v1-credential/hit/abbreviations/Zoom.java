class Zoom {
    static final String URL = "https://api.zoom.us/v1/";
    static final String ZOOM_SEC = "c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a";
}
