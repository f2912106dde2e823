// Every recording, report, dashboard, chat, group and account call of npm's zoomus, its effect in a
// following read.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const HOST = 'ada.lovelace@example.com';
const day = (ago) => new Date(Date.now() - ago * 86400e3).toISOString().slice(0, 10);
// With slashes, as a sample program sends them.
const month = { from: day(28).replaceAll('-', '/'), to: day(0) };

module.exports = ({ zoom, watched, has }) => {
  test('recording: list, get, delete, and what is deleted is listed no more', async () => {
    const { ask, open } = watched(zoom.recording);
    const page = await ask('list', { host_id: HOST, page_size: 100 });
    // The newest first; the last one is old.
    const times = page.meetings.map((meeting) => meeting.start_time);
    assert.deepEqual(times, [...times].sort().reverse());
    const shown = page.meetings.at(-1);
    has(shown, { uuid: 'string', meeting_number: 'number', timezone: 'string', total_size: 'number' });
    const [file] = shown.recording_files;
    const bytes = await (await fetch(file.download_url)).arrayBuffer();
    assert.equal(bytes.byteLength, file.file_size);
    assert.equal((await ask('get', { meeting_id: shown.uuid })).uuid, shown.uuid);
    await ask('delete', { meeting_id: shown.uuid });
    await ask('get', { meeting_id: shown.uuid }, 3301);
    const left = await ask('list', { host_id: HOST, page_size: 100 });
    assert.equal(left.total_records, page.total_records - 1);
    assert.deepEqual([...open], []);
  });

  test('report: accounts, hosts, days and telephones', async () => {
    const { ask, open } = watched(zoom.report);
    const { users } = await ask('getAccount', { ...month, page_size: 300 });
    const { user_id } = users.find((user) => user.email === HOST);
    const report = await ask('getUser', { ...month, user_id, page_size: 5 });
    has(report.meetings[0], { number: 'number', topic: 'string', duration: 'number' });
    has(report.meetings[0].participants[0], { name: 'string', join_time: 'string' });
    const now = new Date();
    const given = { year: now.getUTCFullYear(), month: now.getUTCMonth() + 1 };
    has(await ask('getDaily', given), { year: 'number', month: 'number', dates: 'object' });
    const audio = await ask('getAudio', { ...month, type: 1, page_size: 6000 });
    has(audio.telephony_usage[0], { meeting_id: 'number', total: 'number' });
    assert.equal(audio.page_size, 300);
    assert.deepEqual([...open], []);
  });

  test('dashboard: lists and their details', async () => {
    const { ask, open } = watched(zoom.dashboard);
    for (const [list, detail] of [['meetings', 'meeting'], ['webinars', 'webinar']]) {
      const { meetings } = await ask(list, { ...month, type: 2, page_size: 300 });
      const meeting_id = meetings[0].uuid;
      const shown = await ask(detail, { meeting_id, type: 2 });
      assert.ok(shown.participants_count > 0 && shown.participants[0].user_name, shown);
    }
    const [past] = (await ask('meetings', { ...month, type: 2 })).meetings;
    has((await ask('qos', { meeting_id: past.uuid, type: 2 })).participants[0], { device: 'string' });
    const { zoom_rooms } = await ask('rooms', {});
    has(await ask('room', { id: zoom_rooms[0].id, ...month }), { zoom_room: 'object' });
    has((await ask('crc', month)).crc_ports_usage[0], { date_time: 'string' });
    has((await ask('im', month)).users[0], { user_id: 'string', total_send: 'number' });
    assert.deepEqual([...open], []);
  });

  test('chat: sessions and messages for the token of the site, nothing for another', async () => {
    const { ask, open } = watched(zoom.chat);
    const access_token = 'sandbox-chat-token';
    await ask('list', { ...month, access_token: 'wrong' }, 200);
    const [{ session_id }] = (await ask('list', { ...month, access_token })).chat_list;
    const { chat_messages } = await ask('get', { ...month, access_token, session_id });
    has(chat_messages[0], { message: 'string', sender: 'string', date_time: 'string' });
    assert.deepEqual([...open], []);
  });

  for (const kind of ['group', 'imGroup']) {
    test(`${kind}: groups and members, each change in a read`, async () => {
      const { ask, open } = watched(zoom[kind]);
      const { group_id } = await ask('create', { name: `Node's ${kind}` });
      const { groups } = await ask('list', {});
      assert.ok(groups.some((group) => group.group_id === group_id));
      assert.equal((await ask('update', { id: group_id, name: `Other ${kind}` })).name, `Other ${kind}`);
      const user = await new Promise((resolve) => zoom.user.getByEmail({ email: HOST }, resolve));
      assert.equal((await ask('memberAdd', { id: group_id, member_ids: [user.id] })).add_count, 1);
      assert.equal((await ask('memberList', { id: group_id })).members[0].id, user.id);
      const removed = await ask('memberDelete', { id: group_id, member_ids: user.id });
      assert.equal(removed.deleted_count, 1);
      assert.equal((await ask('get', { id: group_id })).total_members, 0);
      await ask('delete', { id: group_id });
      await ask('get', { id: group_id }, 4130);
      assert.deepEqual([...open], []);
    });
  }

  test('device: the client sends its calls to IM groups, as it did to v1', async () => {
    const { ask, open } = watched(zoom.device);
    const made = await ask('create', { name: 'Attic', ip: '192.0.2.9' });
    assert.ok((await ask('list', {})).groups.some((group) => group.name === 'Attic'));
    await ask('update', { id: made.group_id, name: 'Cellar' });
    await ask('delete', { id: made.group_id });
    assert.deepEqual([...open], []);
  });

  test('account: sub accounts and their plans, given as objects', async () => {
    const { ask, open } = watched(zoom.account);
    const person = { first_name: 'N', last_name: 'W' };
    const create = (email) => ask('create', { email, password: 'Analytical4Engine', ...person });
    const made = await create('node@sub.example.com');
    const which = { account_id: made.id };
    assert.deepEqual(await ask('get', which), made);
    const contact = {
      ...person, email: 'e@example.net', phone_number: '5550100', address: 'A', city: 'X', country: 'US', state: 'CA', zip: '95113',
    };
    await ask('planSubscribe', { ...which, ...contact, plan_base: { type: 'monthly', hosts: 10 } });
    await ask('planAdd', { ...which, plan: { type: 'webinar500_monthly', hosts: 1 } });
    await ask('planUpdate', { ...which, type: 1, plan: { type: 'monthly', hosts: 12 } });
    await ask('update', { ...which, disable_cmr_reminder: true });
    await ask('updateBilling', { ...which, city: 'Boston' });
    const plans = await ask('planGet', which);
    assert.deepEqual([plans.plan_base.hosts, plans.plan_webinar[0].hosts, plans.city], [12, 1, 'Boston']);
    await ask('delete', which, 2000);
    const free = await create('free.node@sub.example.com');
    has(await ask('delete', { account_id: free.id }), { id: 'string', deleted_at: 'string' });
    const ids = (await ask('list', {})).subAccounts.map((account) => account.id);
    assert.ok(ids.includes(made.id) && !ids.includes(free.id), ids);
    assert.deepEqual([...open], []);
  });
};
