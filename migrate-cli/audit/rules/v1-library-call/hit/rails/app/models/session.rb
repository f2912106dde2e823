class Session
  def start
    host = ZoomusClient.user_list['users'][0]['id']
    ZoomusClient.meeting_create(host_id: host, topic: 'Session', type: 2)
    zoom = Zoomus.new
    zoom.user_custcreate!(email: email, type: 1)
    client.user_list
  end
end
