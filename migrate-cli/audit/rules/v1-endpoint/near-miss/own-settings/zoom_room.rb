# A room of Zoom, with its options.
class Room
  def options
    { option_jbh: early, option_host_video: video }
  end

  def save
    Rooms.post(options)
  end
end
