class People
  def all
    zoom_client.user_list
  end
end
