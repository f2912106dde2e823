class ZoomRooms
  def find(email)
    path = 'user/getbyemail'
    perform(path, email: email)
  end

  def make(webinar, data)
    path = webinar ? 'webinar/create' : 'meeting/create'
    perform(path, data)
  end
end
