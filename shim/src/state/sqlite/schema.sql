-- Names and runs are blobs of 16 bytes, times are milliseconds since 1970.
CREATE TABLE cursors (
    name BLOB PRIMARY KEY,
    value BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cursors_expire ON cursors (expires);

CREATE TABLE write (
    name BLOB PRIMARY KEY,
    run BLOB,
    until INTEGER NOT NULL,
    journal BLOB NOT NULL,
    waited_for INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX write_expires ON write (expires);

CREATE TABLE answer (
    run BLOB PRIMARY KEY,
    answer BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_expires ON answer (expires);

-- Generations, failures, calls of a day; a rate limit counts the microsecond of its next free call.
CREATE TABLE counter (
    name BLOB PRIMARY KEY,
    count INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX counter_expires ON counter (expires);

-- In the order of arrival. `died` is the time at which a message was given up.
CREATE TABLE message (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    queue BLOB NOT NULL,
    id BLOB NOT NULL,
    team BLOB NOT NULL,
    body BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    died INTEGER
) STRICT;
CREATE INDEX message_waits ON message (queue, team, number) WHERE died IS NULL;
CREATE INDEX message_died ON message (queue, died, number) WHERE died IS NOT NULL;

-- Groups with messages that wait. The first one is due, or leased until then.
CREATE TABLE team (
    queue BLOB NOT NULL,
    team BLOB NOT NULL,
    first INTEGER NOT NULL,
    due INTEGER NOT NULL,
    owner BLOB,
    PRIMARY KEY (queue, team)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_due ON team (queue, due, first);

CREATE TABLE seen (
    queue BLOB NOT NULL,
    id BLOB NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_expires ON seen (queue, expires);

CREATE TABLE queue (
    name BLOB PRIMARY KEY,
    waiting INTEGER NOT NULL,
    dead INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
