-- What has been received and not yet handled.
CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    source      TEXT   NOT NULL,
    delivery    TEXT   NOT NULL,
    event       TEXT   NOT NULL,
    lane        TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    size        BIGINT NOT NULL CHECK (size >= 0),
    body        BLOB   NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    handled_at  BIGINT,
    outcome     TEXT   CHECK (outcome IN ('handled', 'ignored', 'malformed', 'parked')),
    problem     TEXT,
    UNIQUE (source, delivery),
    CHECK ((handled_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX inbox_waiting ON inbox (id) WHERE handled_at IS NULL;
CREATE INDEX inbox_parked ON inbox (id) WHERE outcome = 'parked';
CREATE INDEX inbox_handled ON inbox (handled_at) WHERE handled_at IS NOT NULL;

CREATE TRIGGER inbox_received_is_final
BEFORE UPDATE OF id, source, delivery, event, lane, received_at, size, body ON inbox
BEGIN SELECT RAISE(ABORT, 'inbox: what was received never changes'); END;

-- What must be done outside and is not yet done.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    token       TEXT   NOT NULL UNIQUE,
    effect      TEXT   NOT NULL,
    cause       BIGINT NOT NULL,
    priority    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('waiting', 'done', 'parked', 'dropped')),
    attempts    BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    fence       BIGINT NOT NULL DEFAULT 0 CHECK (fence >= 0),
    lease_until BIGINT NOT NULL DEFAULT 0,
    finished_at BIGINT,
    problem     TEXT,
    CHECK ((finished_at IS NULL) = (state IN ('waiting', 'parked')))
);
CREATE INDEX outbox_due ON outbox (priority, due_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_parked ON outbox (id) WHERE state = 'parked';
CREATE INDEX outbox_finished ON outbox (finished_at) WHERE finished_at IS NOT NULL;

CREATE TRIGGER outbox_effect_never_repeats BEFORE INSERT ON outbox
WHEN EXISTS (SELECT 1 FROM outbox WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'outbox: what was decided never changes'); END;
CREATE TRIGGER outbox_effect_is_final
BEFORE UPDATE OF id, token, effect, cause, created_at ON outbox
BEGIN SELECT RAISE(ABORT, 'outbox: what was decided never changes'); END;

-- What must happen at a time.
CREATE TABLE timer (
    name        TEXT   PRIMARY KEY NOT NULL,
    due_at      BIGINT NOT NULL,
    fence       BIGINT NOT NULL DEFAULT 0 CHECK (fence >= 0),
    lease_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX timer_due ON timer (due_at);

-- Who works on what, for how long; the fence grows with every claim.
CREATE TABLE lease (
    name        TEXT   PRIMARY KEY NOT NULL,
    holder      TEXT   NOT NULL,
    fence       BIGINT NOT NULL CHECK (fence > 0),
    lease_until BIGINT NOT NULL
);
CREATE INDEX lease_open ON lease (holder, name) WHERE lease_until <> 0;

-- What was decided; nothing in it ever changes.
CREATE TABLE ledger_entry (
    seq    BIGINT PRIMARY KEY NOT NULL CHECK (seq > 0),
    at     BIGINT NOT NULL,
    action TEXT   NOT NULL,
    body   BLOB   NOT NULL
);
-- REPLACE deletes without firing the triggers of DELETE, so repeating a key is refused as well.
CREATE TRIGGER ledger_entry_never_repeats BEFORE INSERT ON ledger_entry
WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER ledger_entry_never_changes BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER ledger_entry_never_leaves BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;

-- How long the ledger is; taking the next number locks the row.
CREATE TABLE ledger_head (
    log  TEXT   PRIMARY KEY NOT NULL,
    size BIGINT NOT NULL CHECK (size >= 0)
);
CREATE TRIGGER ledger_head_never_repeats BEFORE INSERT ON ledger_head
WHEN EXISTS (SELECT 1 FROM ledger_head WHERE log = NEW.log)
BEGIN SELECT RAISE(ABORT, 'ledger_head only grows'); END;
CREATE TRIGGER ledger_head_only_grows BEFORE UPDATE ON ledger_head
WHEN NEW.size <= OLD.size OR NEW.log <> OLD.log
BEGIN SELECT RAISE(ABORT, 'ledger_head only grows'); END;
CREATE TRIGGER ledger_head_never_leaves BEFORE DELETE ON ledger_head
BEGIN SELECT RAISE(ABORT, 'ledger_head only grows'); END;
INSERT INTO ledger_head (log, size) VALUES ('main', 0);
