class Rooms
  def open(host)
    zoom_client.meeting_create(user_id: host, topic: 'Room', type: 2)
  end
end
