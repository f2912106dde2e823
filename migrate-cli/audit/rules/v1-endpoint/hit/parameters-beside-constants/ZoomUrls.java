class ZoomUrls {
    static final String CREATE = "https://api.zoom.us/v1/meeting/create";
}
