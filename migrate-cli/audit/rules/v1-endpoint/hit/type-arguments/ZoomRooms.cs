// Rooms of Zoom.
class ZoomRooms {
    Task<Person> Find(Query query) {
        return client.PostAsync<Person>("user/getbyemail", query);
    }
    Task<List<Room>> Rooms(Query query) {
        return client.PostAsync<List<Room>>("meeting/list", query);
    }
}
