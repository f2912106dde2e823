fetch('https://api.zoom.us/v1/user/update?id=' + id + '&dept=' + dept, { method: 'POST' });
request.post('https://api.zoom.us/v1/user/update').query(login).query({ id, dept });
