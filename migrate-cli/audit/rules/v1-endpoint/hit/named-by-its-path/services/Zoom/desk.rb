class Desk
  def all
    Transport.submit('user/list', api_key: Settings.key)
  end

  def close(host, id)
    Transport.submit('meeting/end', api_key: Settings.key, host_id: host, id: id)
  end
end
