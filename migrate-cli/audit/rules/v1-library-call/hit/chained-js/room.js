require('zoomus')({ key, secret }).meeting.create({ host_id: host, type: 1 });
