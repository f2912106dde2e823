class ZoomRooms {
  find(String email) {
    final path = 'user/getbyemail';
    return exchange(path, {'email': email});
  }

  make(bool webinar, Map data) {
    var path = webinar ? 'webinar/create' : 'meeting/create';
    return exchange(path, data);
  }
}
