// Every call of npm's zoomus, its effect in a following read, its error paths: users, meetings and
// webinars here, the rest in area_calls.js.
//
// usage: user_calls.js V1_URL API_KEY API_SECRET
'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { test } = require('node:test');

const [url, key, secret] = process.argv.slice(2);
if (!secret) {
  process.stderr.write('usage: user_calls.js V1_URL API_KEY API_SECRET\n');
  process.exit(2);
}
const { hostname, port } = new URL(url);

// The client writes its request when a socket connects, which a kept one never does again: newer
// versions of Node.js keep them unless told not to.
http.globalAgent = new http.Agent({ keepAlive: false });

// Zoom(…) as a program configures it that has a proxy in front of the API.
function connect(settings) {
  return require('zoomus')({ key, secret, protocol: 'http', host: hostname, port, ...settings });
}

const zoom = connect({});
const made = new Set();

// The client has callbacks and no way to tell an error but the answer.
function ask(client, name, parameters) {
  made.add(name);
  return new Promise((resolve) => client.user[name](parameters, resolve));
}

async function success(name, parameters) {
  const answer = await ask(zoom, name, parameters);
  assert.equal(answer.error, undefined, JSON.stringify(answer));
  return answer;
}

async function error(code, text, name, parameters, client = zoom) {
  const answer = await ask(client, name, parameters);
  assert.equal(answer.error?.code, code, JSON.stringify(answer));
  assert.ok(answer.error.message.includes(text), answer.error.message);
}

const USER = {
  id: 'string', email: 'string', first_name: 'string', last_name: 'string', type: 'number',
  pic_url: 'string', pmi: 'number', verified: 'number', dept: 'string', created_at: 'string',
  status: 'number', token: 'string', zpk: 'string', zak: 'string',
};
const SETTINGS = {
  disable_chat: 'boolean', enable_cmr: 'boolean', enable_webinar: 'boolean',
  webinar_capacity: 'number', meeting_capacity: 'number', enable_breakout_room: 'boolean',
};

function has(answer, types) {
  for (const [name, type] of Object.entries(types)) {
    assert.equal(typeof answer[name], type, `${name} in ${JSON.stringify(answer)}`);
  }
}

const people = {};

test('create: an invited user, whom pending shows', async () => {
  const email = 'invited.node@example.com';
  has(await success('create', { email, type: 1, first_name: 'Sofja' }), USER);
  const { users } = await success('pending', { page_size: 300 });
  const [invited] = users.filter((user) => user.email === email);
  assert.equal(invited?.first_name, 'Sofja');
  people.invited = invited.id;
  assert.equal((await success('get', { id: invited.id })).email, email);
});

test('create twice: 1005', () =>
  error(1005, 'User already in the account', 'create', {
    email: 'invited.node@example.com', type: 1, first_name: 'Sofja',
  }));

test('autoCreate: a user with a password, whom getByEmail shows', async () => {
  const email = 'auto.node@example.com';
  const answer = await success('autoCreate', {
    email, type: 2, password: 'Analytical4Engine', first_name: 'Zoë', disable_chat: true,
  });
  has(answer, { ...USER, ...SETTINGS });
  people.auto = answer.id;
  const seen = await success('getByEmail', { email, login_type: 100 });
  assert.equal(seen.id, answer.id);
  assert.equal(seen.first_name, 'Zoë');
  assert.equal(seen.disable_chat, true);
  assert.equal((await success('checkEmail', { email })).existed_email, true);
});

test('autoCreate without a password, and with a weak one: 300', async () => {
  const email = 'weak.node@example.com';
  await error(300, 'Password is required.', 'autoCreate', { email, type: 1 });
  await error(300, 'password', 'autoCreate', { email, type: 1, password: 'short' });
  assert.equal((await success('checkEmail', { email })).existed_email, false);
});

test('custCreate: a user whom get shows', async () => {
  const answer = await success('custCreate', {
    email: 'custom.node@example.com', type: 2, enable_webinar: true, webinar_capacity: 500,
  });
  has(answer, { ...USER, ...SETTINGS });
  const seen = await success('get', { id: answer.id });
  assert.equal(seen.webinar_capacity, 500);
  people.custom = answer.id;
});

test('ssoCreate: a user whom getByEmail shows under SSO only', async () => {
  const email = 'sso.node@example.com';
  const answer = await success('ssoCreate', { email, type: 2, pmi: 4085551234 });
  has(answer, { ...USER, vanity_url: 'string', timezone: 'string' });
  assert.equal((await success('getByEmail', { email, login_type: 101 })).pmi, 4085551234);
  await error(1001, 'User not exist: ' + email, 'getByEmail', { email, login_type: 100 });
  people.sso = answer.id;
});

test('creates without email: 300', async () => {
  for (const name of ['create', 'autoCreate', 'custCreate', 'ssoCreate']) {
    await error(300, 'Email is required.', name, { type: 1, password: 'Analytical4Engine' });
  }
});

test('update: what get shows afterwards', async () => {
  const answer = await success('update', {
    id: people.auto, dept: 'R&D + Größe', disable_chat: false, enable_waiting_room: false,
  });
  has(answer, { id: 'string', updated_at: 'string' });
  const seen = await success('get', { id: people.auto });
  assert.equal(seen.dept, 'R&D + Größe');
  assert.equal(seen.disable_chat, false);
  assert.equal(seen.enable_waiting_room, false);
});

test('update of nobody, and of a switch that is none: 1001, 300', async () => {
  await error(300, 'Id is required.', 'update', { dept: 'x' });
  await error(1001, 'User not exist: nobody', 'update', { id: 'nobody', dept: 'x' });
  await error(300, 'disable_chat', 'update', { id: people.auto, disable_chat: 'perhaps' });
});

test('list: pages with settings, each user once', async () => {
  const found = new Set();
  let page = { page_count: 1 };
  for (let number = 1; number <= page.page_count; number += 1) {
    page = await success('list', { page_size: 20, page_number: number });
    for (const user of page.users) {
      has(user, SETTINGS);
      found.add(user.id);
    }
  }
  assert.equal(found.size, page.total_records);
  assert.ok(found.has(people.auto) && found.has(people.custom) && found.has(people.sso));
});

test('list and pending of a page that is no number: 300', async () => {
  await error(300, 'page_number', 'list', { page_number: 'first' });
  await error(300, 'page_size', 'pending', { page_size: 'all' });
});

test('updatePassword (sent to user/updatePassword): once, the same again is refused', async () => {
  const password = 'Difference5Engine';
  const answer = await success('updatePassword', { id: people.auto, password });
  has(answer, { id: 'string', updated_at: 'string' });
  // Nobody can read a password: that it was stored shows in that it cannot be set again.
  await error(300, 'old password', 'updatePassword', { id: people.auto, password });
  await error(1124, 'characters', 'updatePassword', { id: people.auto, password: 'short' });
  await error(1123, 'work email', 'updatePassword', { id: people.sso, password });
  await error(300, 'is required', 'updatePassword', { id: people.auto });
});

test('uploadPicture without a file, as the client sends it: 300', async () => {
  await error(300, 'Pic_file is required.', 'uploadPicture', { id: people.auto });
  await error(120, 'image', 'uploadPicture', { id: people.auto, pic_file: 'me.jpg' });
});

test('picture: uploadPicture with bytes in the form, seen by get', async () => {
  assert.equal((await success('get', { id: people.auto })).pic_url, '');
  const body = new URLSearchParams({ api_key: key, api_secret: secret, id: people.auto });
  // The client would spell bytes as UTF-8; programs percent-encode them themselves.
  const form = `${body}&pic_file=%FF%D8%FF%E0%00%10JFIF%00`;
  made.add('uploadPicture');
  const answer = await (await fetch(`${url}/user/uploadpicture`, {
    method: 'POST', body: form, headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })).json();
  assert.equal(answer.error, undefined, JSON.stringify(answer));
  assert.notEqual((await success('get', { id: people.auto })).pic_url, '');
});

test('setAssistant, schedulers (sent to user/scheduleforhost), deleteAssistant', async () => {
  const host = people.auto;
  const assistant = 'grace.hopper@example.com';
  has(await success('setAssistant', { id: host, assistant_email: assistant }), {
    id: 'string', host_email: 'string', updated_at: 'string',
  });
  await success('setAssistant', { id: host, assistant_email: assistant });
  const { total_records: total, users } = await success('schedulers', { id: host });
  assert.equal(total, 1);
  assert.equal(users[0].email, assistant);
  assert.equal(users[0].first_name, 'Grace');
  await success('deleteAssistant', { host_email: 'auto.node@example.com' });
  assert.equal((await success('schedulers', { id: host })).total_records, 0);
});

test('assistants of nobody, and nobody as an assistant', async () => {
  await error(1001, 'User not exist', 'setAssistant', {
    id: 'nobody', assistant_email: 'grace.hopper@example.com',
  });
  await error(200, "Can't find", 'setAssistant', {
    id: people.auto, assistant_email: 'nobody@example.com',
  });
  await error(300, 'Assistant_email is required.', 'setAssistant', { id: people.auto });
  await error(300, 'is required', 'schedulers', {});
  await error(300, 'is required', 'deleteAssistant', {});
  await error(1001, 'User not exist: nobody', 'schedulers', { id: 'nobody' });
  await error(1001, 'User not exist: nobody', 'deleteAssistant', { id: 'nobody' });
});

test('revokeToken: the next ZAK is another', async () => {
  const generation = async () => {
    const { zak } = await success('get', { id: people.auto });
    return JSON.parse(Buffer.from(zak.split('.')[1], 'base64url').toString()).gen;
  };
  const before = await generation();
  has(await success('revokeToken', { id: people.auto }), {
    id: 'string', email: 'string', updated_at: 'string',
  });
  assert.notEqual(await generation(), before);
  await error(1001, 'User not exist: nobody', 'revokeToken', { id: 'nobody' });
  await error(300, 'is required', 'revokeToken', {});
});

test('checkEmail without an address: 300', () =>
  error(300, 'Email is required.', 'checkEmail', {}));

test('checkZPK: no zpk can be valid any more', async () => {
  await error(300, 'Invalid parameter: zpk', 'checkZPK', { zpk: 'abc' });
  await error(300, 'Zpk is required.', 'checkZPK', {});
});

test('deactivate: status 1, gone from the list', async () => {
  has(await success('deactivate', { id: people.sso }), { id: 'string', deactivated_at: 'string' });
  assert.equal((await success('get', { id: people.sso })).status, 1);
  const { users } = await success('list', { page_size: 300 });
  assert.ok(!users.some((user) => user.id === people.sso));
  await error(1001, 'User not exist: nobody', 'deactivate', { id: 'nobody' });
});

test('delete and permanentDelete: get knows the user no more, a second time is 1001', async () => {
  has(await success('delete', { id: people.auto }), { id: 'string', deleted_at: 'string' });
  await error(1001, 'User not exist', 'get', { id: people.auto });
  await error(1001, 'User not exist', 'delete', { id: people.auto });
  has(await success('permanentDelete', { email: 'custom.node@example.com' }), {
    id: 'string', email: 'string', deleted_at: 'string',
  });
  await error(1001, 'User not exist', 'get', { id: people.custom });
  await error(1001, 'User not exist', 'permanentDelete', { id: people.custom });
  await success('permanentDelete', { id: people.sso });
  await success('delete', { id: people.invited, type: 1 });
  await error(300, 'Id is required.', 'delete', {});
});

test('wrong and missing credentials: 200, 300', async () => {
  await error(200, 'Invalid api key or secret', 'list', {}, connect({ secret: 'wrong-secret' }));
  await error(300, 'Api key and secret are required.', 'list', {}, connect({ secret: '' }));
});

// A resource of the client whose calls all must be made, and succeed unless an error is expected.
function watched(resource) {
  const calls = Object.keys(Object.getPrototypeOf(resource)).filter(
    (name) => typeof resource[name] === 'function' && name !== 'path');
  const open = new Set(calls);
  const ask = async (name, parameters, code) => {
    open.delete(name);
    const answer = await new Promise((resolve) => resource[name](parameters, resolve));
    assert.equal(answer.error?.code, code, JSON.stringify(answer));
    return answer;
  };
  return { ask, open };
}

test('meeting: every call, each seen in get, list or listLive', async () => {
  const { ask, open } = watched(zoom.meeting);
  const host = 'ada.lovelace@example.com';
  const made = await ask('create', {
    host_id: host, type: 2, topic: 'Größen & Maße', start_time: '2031-05-01T09:30:00.000Z',
    duration: 45, option_jbh: true, option_registration: true,
  });
  has(made, { id: 'number', uuid: 'string', start_url: 'string', join_url: 'string', status: 'number' });
  assert.equal(made.start_time, '2031-05-01T09:30:00Z');
  const which = { id: made.id, host_id: host };
  assert.deepEqual(await ask('get', which), made);
  const { meetings } = await ask('list', { host_id: host, page_size: 300 });
  assert.ok(meetings.some((meeting) => meeting.id === made.id));

  has(await ask('update', { ...which, topic: 'Other' }), { id: 'string', updated_at: 'string' });
  assert.equal((await ask('get', which)).topic, 'Other');
  const person = { email: 'x@example.net', first_name: 'X', last_name: 'Y' };
  has(await ask('register', { id: made.id, ...person }), {
    registrant_id: 'string', id: 'number', join_url: 'string',
  });
  await ask('delete', { ...which, host_id: 'grace.hopper@example.com' }, 3003);
  has(await ask('delete', which), { id: 'string', deleted_at: 'string' });
  await ask('get', which, 3001);

  const [live] = (await ask('listLive', {})).meetings;
  assert.equal(live.status, 1);
  has(await ask('end', { id: live.id, host_id: live.host_id }), { id: 'string', ended_at: 'string' });
  assert.ok(!(await ask('listLive', {})).meetings.some((meeting) => meeting.id === live.id));
  assert.deepEqual([...open], []);
});

test('webinar: every call, each seen in a read', async () => {
  const { ask, open } = watched(zoom.webinar);
  const host = 'mary.jackson@example.com';
  const made = await ask('create', {
    host_id: host, topic: 'Lift', start_time: '2031-05-01T09:30:00Z', approval_type: 1,
    panelists: JSON.stringify([{ name: 'Ann', email: 'ann@example.net' }]),
  });
  has(made, { id: 'number', registration_url: 'string', start_url: 'string', join_url: 'string' });
  const which = { id: made.id, host_id: host };
  assert.deepEqual(await ask('get', which), made);
  const panelists = await ask('listPanelists', which);
  assert.equal(panelists.panelists[0].email, 'ann@example.net');
  const { webinars } = await ask('listRegistration', { host_id: host, page_size: 300 });
  assert.ok(webinars.some((webinar) => webinar.id === made.id));
  const without = await ask('list', { host_id: host, page_size: 300 });
  assert.ok(!without.webinars.some((webinar) => webinar.id === made.id));
  has(await ask('update', { ...which, topic: 'Drag' }), { id: 'string', updated_at: 'string' });
  assert.equal((await ask('get', which)).topic, 'Drag');

  const registered = await ask('register', {
    id: made.id, email: 'x@example.net', first_name: 'X', last_name: 'Y',
  });
  const registrants = { ...which, registrant_ids: registered.registrant_id };
  assert.equal((await ask('listRegistrations', which)).users[0].id, registered.registrant_id);
  await ask('approveRegistration', registrants);
  assert.equal((await ask('getRegistration', which)).attendees[0].email, 'x@example.net');
  await ask('cancelRegistration', { ...registrants, occurrence_id: '' }, 300);
  await ask('cancelRegistration', registrants);
  assert.equal((await ask('getRegistration', which)).total_records, 0);

  assert.deepEqual((await ask('getUUID', which)).webinars, []);
  for (const name of ['getAttendees', 'getPolls', 'getQuestions']) {
    await ask(name, which, 3001);
  }
  await ask('delete', { ...which, host_id: 'ada.lovelace@example.com' }, 3003);
  has(await ask('delete', which), { id: 'string', deleted_at: 'string' });
  await ask('get', which, 3001);
  assert.deepEqual([...open], []);
});

require('./area_calls.js')({ zoom, watched, has });

test('every user call that the client offers was made', () => {
  const offered = Object.keys(Object.getPrototypeOf(zoom.user)).filter(
    (name) => typeof zoom.user[name] === 'function' && !['path'].includes(name));
  assert.deepEqual(offered.filter((name) => !made.has(name)), []);
  assert.equal(offered.length, 20);
});
