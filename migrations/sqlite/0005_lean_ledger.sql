-- What an append costs is the pages that it touches, so each table of the log is one tree with few indexes.
-- Entries are found by time through their numbers, because clocks never slip further than `ledger_head` says.
DROP TRIGGER ledger_entry_never_repeats;
DROP TRIGGER ledger_entry_never_changes;
DROP TRIGGER ledger_entry_never_leaves;
DROP INDEX ledger_entry_about;
DROP INDEX ledger_entry_at;
DROP INDEX ledger_entry_action;
DROP INDEX ledger_entry_sha;
DROP INDEX ledger_entry_request;
ALTER TABLE ledger_entry RENAME TO ledger_entry_before;
CREATE TABLE ledger_entry (
    seq         INTEGER PRIMARY KEY NOT NULL CHECK (seq > 0),
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
INSERT INTO ledger_entry SELECT * FROM ledger_entry_before ORDER BY seq;
DROP TABLE ledger_entry_before;
CREATE INDEX ledger_entry_about ON ledger_entry (about, seq, at);
CREATE INDEX ledger_entry_sha ON ledger_entry (sha, seq) WHERE sha IS NOT NULL;
CREATE INDEX ledger_entry_request ON ledger_entry (request, seq) WHERE request IS NOT NULL;
-- What is about the log and the service themselves is rare, and looked for by its action.
CREATE INDEX ledger_entry_own ON ledger_entry (action, seq) WHERE action IN ('log.opened', 'key.rotated', 'head.adopted',
    'database.restored', 'private.erased', 'checkpoint.anchored', 'configuration.loaded', 'token.made', 'token.revoked');

CREATE TRIGGER ledger_entry_never_repeats BEFORE INSERT ON ledger_entry
WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER ledger_entry_never_changes BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER ledger_entry_never_leaves BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
-- Combinations are derived by the database, because asking it for each entry costs more than the look.
CREATE TRIGGER ledger_entry_is_found AFTER INSERT ON ledger_entry
WHEN NOT EXISTS (SELECT 1 FROM ledger_about WHERE about = NEW.about)
BEGIN INSERT INTO ledger_about (about, service, environment, person, action, outcome)
    VALUES (NEW.about, NEW.service, NEW.environment, NEW.person, NEW.action, NEW.outcome); END;

DROP TRIGGER ledger_private_never_repeats;
DROP TRIGGER ledger_private_never_changes;
ALTER TABLE ledger_private RENAME TO ledger_private_before;
CREATE TABLE ledger_private (
    seq   BIGINT NOT NULL,
    name  TEXT   NOT NULL,
    salt  BLOB   NOT NULL,
    value TEXT   NOT NULL,
    PRIMARY KEY (seq, name)
) WITHOUT ROWID;
INSERT INTO ledger_private SELECT * FROM ledger_private_before ORDER BY seq, name;
DROP TABLE ledger_private_before;
CREATE TRIGGER ledger_private_never_repeats BEFORE INSERT ON ledger_private
WHEN EXISTS (SELECT 1 FROM ledger_private WHERE seq = NEW.seq AND name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'ledger_private never changes'); END;
CREATE TRIGGER ledger_private_never_changes BEFORE UPDATE ON ledger_private
BEGIN SELECT RAISE(ABORT, 'ledger_private never changes'); END;
-- What somebody was called last is known from the entries of what they did.
CREATE TRIGGER ledger_private_knows AFTER INSERT ON ledger_private WHEN NEW.name = 'actor.login'
BEGIN INSERT INTO person (person, login, at)
    SELECT person, json_extract(NEW.value, '$'), at FROM ledger_entry WHERE seq = NEW.seq AND person IS NOT NULL
    ON CONFLICT (person) DO UPDATE SET login = excluded.login, at = excluded.at WHERE person.login <> excluded.login; END;

DROP INDEX ledger_word_seq;
ALTER TABLE ledger_word RENAME TO ledger_word_before;
CREATE TABLE ledger_word (
    word TEXT   NOT NULL,
    seq  BIGINT NOT NULL,
    PRIMARY KEY (word, seq)
) WITHOUT ROWID;
INSERT INTO ledger_word SELECT * FROM ledger_word_before ORDER BY word, seq;
DROP TABLE ledger_word_before;
CREATE INDEX ledger_word_seq ON ledger_word (seq, word);
