public class Rooms {
    private static final String HOST = "https://www.zoomus.example.com";
    public static final String OPEN = HOST + "/v1/meeting/create";
    public static final String CLOSE = HOST + "/v1/ma/account/list";
}
