package com.example.conference;

public class ConferenceService {
    private static final String KEYS = "?api_key=" + System.getenv("KEY") + "&api_secret=" + System.getenv("SECRET");
    private static final String LOOKUP = "https://api.zoom.us/v1/user/getbyemail" + KEYS;

    String create(Client client, String email) {
        WebResource resource = client.resource("https://api.zoom.us/v1/user/custcreate" + KEYS + "&type=1&email=" + email);
        return resource.post(ClientResponse.class).getEntity(String.class);
    }
}
