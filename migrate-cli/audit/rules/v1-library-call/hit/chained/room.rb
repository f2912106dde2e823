class Room
  def open(host)
    Zoomus.new.meeting_create(host_id: host, type: 1)
  end
end
