-- Entries of the time before the log was signed stay as they were.
DROP TRIGGER ledger_entry_never_changes ON ledger_entry;
DROP TRIGGER ledger_entry_never_leaves ON ledger_entry;
DROP TRIGGER ledger_entry_never_empties ON ledger_entry;
ALTER TABLE ledger_entry RENAME TO ledger_unsigned;
ALTER INDEX ledger_entry_pkey RENAME TO ledger_unsigned_pkey;
CREATE TRIGGER ledger_unsigned_is_closed BEFORE INSERT ON ledger_unsigned
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_unsigned is closed');
CREATE TRIGGER ledger_unsigned_never_changes BEFORE UPDATE ON ledger_unsigned
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_unsigned is closed');
CREATE TRIGGER ledger_unsigned_never_leaves BEFORE DELETE ON ledger_unsigned
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_unsigned is closed');
CREATE TRIGGER ledger_unsigned_never_empties BEFORE TRUNCATE ON ledger_unsigned
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('ledger_unsigned is closed');
-- The signed log counts from one.
DROP TRIGGER ledger_head_never_leaves ON ledger_head;
DELETE FROM ledger_head;
INSERT INTO ledger_head (log, size) VALUES ('main', 0);
-- The latest time that was recorded, and how far a time ever lay before one that had been recorded earlier:
-- so numbers are found by time, exactly, although clocks may be set back.
ALTER TABLE ledger_head ADD COLUMN latest BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ledger_head ADD COLUMN slip BIGINT NOT NULL DEFAULT 0;
CREATE TRIGGER ledger_head_never_leaves BEFORE DELETE ON ledger_head
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_head only grows');

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
    body        BYTEA  NOT NULL CHECK (length(body) <= 16384),
    leaf        BYTEA  NOT NULL CHECK (length(leaf) = 32)
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

CREATE TRIGGER ledger_entry_never_changes BEFORE UPDATE ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_entry is append-only');
CREATE TRIGGER ledger_entry_never_leaves BEFORE DELETE ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_entry is append-only');
CREATE TRIGGER ledger_entry_never_empties BEFORE TRUNCATE ON ledger_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('ledger_entry is append-only');

-- What entries hold only a commitment to. It can be erased, and never changed.
CREATE TABLE ledger_private (
    seq   BIGINT NOT NULL,
    name  TEXT   NOT NULL,
    salt  BYTEA  NOT NULL,
    value TEXT   NOT NULL,
    PRIMARY KEY (seq, name)
);
CREATE TRIGGER ledger_private_never_changes BEFORE UPDATE ON ledger_private
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_private never changes');

-- The words of reasons, to find entries by; derived, and checked with the entries. They are in the order of
-- their bytes, so that words which begin alike lie together.
CREATE TABLE ledger_word (
    word TEXT   COLLATE "C" NOT NULL,
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
    hashes BYTEA  NOT NULL CHECK (length(hashes) = 8192),
    root   BYTEA  NOT NULL CHECK (length(root) = 32),
    PRIMARY KEY (level, n)
);
CREATE TRIGGER ledger_tile_never_changes BEFORE UPDATE ON ledger_tile
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_tile is append-only');
CREATE TRIGGER ledger_tile_never_leaves BEFORE DELETE ON ledger_tile
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_tile is append-only');
CREATE TRIGGER ledger_tile_never_empties BEFORE TRUNCATE ON ledger_tile
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('ledger_tile is append-only');

-- Signed heads of the log.
CREATE TABLE ledger_checkpoint (
    size BIGINT PRIMARY KEY NOT NULL CHECK (size > 0),
    root BYTEA  NOT NULL CHECK (length(root) = 32),
    note TEXT   NOT NULL
);
CREATE TRIGGER ledger_checkpoint_never_changes BEFORE UPDATE ON ledger_checkpoint
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_checkpoint is append-only');
CREATE TRIGGER ledger_checkpoint_never_leaves BEFORE DELETE ON ledger_checkpoint
FOR EACH ROW EXECUTE FUNCTION refuse_change('ledger_checkpoint is append-only');
CREATE TRIGGER ledger_checkpoint_never_empties BEFORE TRUNCATE ON ledger_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('ledger_checkpoint is append-only');

-- How much of the log each place outside the database holds: head files, anchors, witnesses, exports.
CREATE TABLE ledger_anchor (
    place TEXT   PRIMARY KEY NOT NULL,
    kind  TEXT   NOT NULL CHECK (kind IN ('head', 'file', 'witness', 'export')),
    size  BIGINT NOT NULL CHECK (size >= 0),
    at    BIGINT NOT NULL,
    note  TEXT
);
