const create = room => ask('meeting/create', { host_id: room.host, option_jbh: true })
