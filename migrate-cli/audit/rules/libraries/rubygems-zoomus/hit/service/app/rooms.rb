require 'zoomus'

class Rooms
  def zoomus_client
    @client ||= Zoomus.new
  end

  def open(host)
    zoomus_client.meeting_create(host_id: host, topic: 'Room', type: 2)
  end

  def people
    zoomus_client.user_list!(page_size: 300)
  end
end
