class ZoomRooms {
    static final String BASE = "https://api.zoom.us/v1/";

    String link(Room room) {
        Json answer = post(BASE + "meeting/get", room.id());
        return answer.getString("option_host_video");
    }

    boolean startsVideo(Room room) {
        Map<String, String> choices = room.choices();
        return "true".equals(choices.get("option_host_video"));
    }

    String key(Room room) {
        return post(BASE + "user/get", room.id()).getString("zpk");
    }
}
