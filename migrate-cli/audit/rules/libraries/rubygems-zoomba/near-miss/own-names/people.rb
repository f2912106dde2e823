class People
  def all
    Zoomba::User.list
  end
end
