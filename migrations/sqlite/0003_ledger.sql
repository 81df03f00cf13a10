-- Entries of the time before the log was signed stay as they were.
DROP TRIGGER ledger_entry_never_repeats;
DROP TRIGGER ledger_entry_never_changes;
DROP TRIGGER ledger_entry_never_leaves;
ALTER TABLE ledger_entry RENAME TO ledger_unsigned;
CREATE TRIGGER ledger_unsigned_is_closed BEFORE INSERT ON ledger_unsigned
BEGIN SELECT RAISE(ABORT, 'ledger_unsigned is closed'); END;
CREATE TRIGGER ledger_unsigned_never_changes BEFORE UPDATE ON ledger_unsigned
BEGIN SELECT RAISE(ABORT, 'ledger_unsigned is closed'); END;
CREATE TRIGGER ledger_unsigned_never_leaves BEFORE DELETE ON ledger_unsigned
BEGIN SELECT RAISE(ABORT, 'ledger_unsigned is closed'); END;
-- The signed log counts from one.
DROP TRIGGER ledger_head_never_leaves;
DELETE FROM ledger_head;
INSERT INTO ledger_head (log, size) VALUES ('main', 0);
-- The latest time that was recorded, and how far a time ever lay before one that had been recorded earlier:
-- so numbers are found by time, exactly, although clocks may be set back.
ALTER TABLE ledger_head ADD COLUMN latest BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ledger_head ADD COLUMN slip BIGINT NOT NULL DEFAULT 0;
CREATE TRIGGER ledger_head_never_leaves BEFORE DELETE ON ledger_head
BEGIN SELECT RAISE(ABORT, 'ledger_head only grows'); END;

-- The audit log. `body` is what is hashed; the other columns are read off it, so that it can be searched.
CREATE TABLE ledger_entry (
    seq         BIGINT PRIMARY KEY NOT NULL CHECK (seq > 0),
    at          BIGINT NOT NULL,
    action      TEXT   NOT NULL,
    outcome     TEXT   NOT NULL CHECK (outcome IN ('allowed', 'refused', 'succeeded', 'failed', 'alarm', 'noted')),
    service     TEXT,
    environment TEXT,
    person      TEXT,
    sha         TEXT,
    request     BIGINT,
    about       TEXT   NOT NULL,
    body        BLOB   NOT NULL CHECK (length(body) <= 16384),
    leaf        BLOB   NOT NULL CHECK (length(leaf) = 32)
);
-- Every index costs on each append, so there are few: `about` serves every combination of service, environment,
-- person, action and outcome, through the table of those that exist; the others are rare values, and time.
CREATE INDEX ledger_entry_about ON ledger_entry (about, seq, at);
CREATE INDEX ledger_entry_at ON ledger_entry (at, seq);
CREATE INDEX ledger_entry_action ON ledger_entry (action, seq);
CREATE INDEX ledger_entry_sha ON ledger_entry (sha, seq) WHERE sha IS NOT NULL;
CREATE INDEX ledger_entry_request ON ledger_entry (request, seq) WHERE request IS NOT NULL;

-- Every combination of service, environment, person and action that was ever recorded; derived. There are
-- thousands of them where there are millions of entries.
CREATE TABLE ledger_about (
    about       TEXT PRIMARY KEY NOT NULL,
    service     TEXT,
    environment TEXT,
    person      TEXT,
    action      TEXT NOT NULL,
    outcome     TEXT NOT NULL
);

-- REPLACE deletes without firing the triggers of DELETE, so repeating a key is refused as well.
CREATE TRIGGER ledger_entry_never_repeats BEFORE INSERT ON ledger_entry
WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER ledger_entry_never_changes BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER ledger_entry_never_leaves BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;

-- What entries hold only a commitment to. It can be erased, and never changed.
CREATE TABLE ledger_private (
    seq   BIGINT NOT NULL,
    name  TEXT   NOT NULL,
    salt  BLOB   NOT NULL,
    value TEXT   NOT NULL,
    PRIMARY KEY (seq, name)
);
CREATE TRIGGER ledger_private_never_repeats BEFORE INSERT ON ledger_private
WHEN EXISTS (SELECT 1 FROM ledger_private WHERE seq = NEW.seq AND name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'ledger_private never changes'); END;
CREATE TRIGGER ledger_private_never_changes BEFORE UPDATE ON ledger_private
BEGIN SELECT RAISE(ABORT, 'ledger_private never changes'); END;

-- The words of reasons, to find entries by; derived, and checked with the entries.
CREATE TABLE ledger_word (
    word TEXT   NOT NULL,
    seq  BIGINT NOT NULL,
    PRIMARY KEY (word, seq)
);
CREATE INDEX ledger_word_seq ON ledger_word (seq, word);

-- What people were last called, to find them by name.
CREATE TABLE person (
    person TEXT   PRIMARY KEY NOT NULL,
    login  TEXT   NOT NULL,
    at     BIGINT NOT NULL
);
CREATE INDEX person_login ON person (lower(login));

-- Full tiles of the tree: 256 hashes of one level, and the hash above them.
CREATE TABLE ledger_tile (
    level  BIGINT NOT NULL CHECK (level >= 0),
    n      BIGINT NOT NULL CHECK (n >= 0),
    hashes BLOB   NOT NULL CHECK (length(hashes) = 8192),
    root   BLOB   NOT NULL CHECK (length(root) = 32),
    PRIMARY KEY (level, n)
);
CREATE TRIGGER ledger_tile_never_repeats BEFORE INSERT ON ledger_tile
WHEN EXISTS (SELECT 1 FROM ledger_tile WHERE level = NEW.level AND n = NEW.n)
BEGIN SELECT RAISE(ABORT, 'ledger_tile is append-only'); END;
CREATE TRIGGER ledger_tile_never_changes BEFORE UPDATE ON ledger_tile
BEGIN SELECT RAISE(ABORT, 'ledger_tile is append-only'); END;
CREATE TRIGGER ledger_tile_never_leaves BEFORE DELETE ON ledger_tile
BEGIN SELECT RAISE(ABORT, 'ledger_tile is append-only'); END;

-- Signed heads of the log.
CREATE TABLE ledger_checkpoint (
    size BIGINT PRIMARY KEY NOT NULL CHECK (size > 0),
    root BLOB   NOT NULL CHECK (length(root) = 32),
    note TEXT   NOT NULL
);
CREATE TRIGGER ledger_checkpoint_never_repeats BEFORE INSERT ON ledger_checkpoint
WHEN EXISTS (SELECT 1 FROM ledger_checkpoint WHERE size = NEW.size)
BEGIN SELECT RAISE(ABORT, 'ledger_checkpoint is append-only'); END;
CREATE TRIGGER ledger_checkpoint_never_changes BEFORE UPDATE ON ledger_checkpoint
BEGIN SELECT RAISE(ABORT, 'ledger_checkpoint is append-only'); END;
CREATE TRIGGER ledger_checkpoint_never_leaves BEFORE DELETE ON ledger_checkpoint
BEGIN SELECT RAISE(ABORT, 'ledger_checkpoint is append-only'); END;

-- How much of the log each place outside the database holds: head files, anchors, witnesses, exports.
CREATE TABLE ledger_anchor (
    place TEXT   PRIMARY KEY NOT NULL,
    kind  TEXT   NOT NULL CHECK (kind IN ('head', 'file', 'witness', 'export')),
    size  BIGINT NOT NULL CHECK (size >= 0),
    at    BIGINT NOT NULL,
    note  TEXT
);
