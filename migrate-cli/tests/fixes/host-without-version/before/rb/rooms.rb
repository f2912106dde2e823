class Rooms
  def all
    RestClient.post(SETTINGS['host'] + '/v1/meeting/list', form)
  end
end
