def create(room)
  submit('meeting/create', host_id: room.host, option_jbh: true)
end
