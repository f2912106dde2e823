class ZoomRooms
{
    Answer Find(string email)
    {
        var path = "user/getbyemail";
        return Query(path, email);
    }

    Answer Make(bool webinar, Data data)
    {
        string path = webinar ? "webinar/create" : "meeting/create";
        return Query(path, data);
    }
}
