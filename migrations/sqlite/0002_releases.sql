-- A configured repository and the one that it was bound to when it was first seen.
CREATE TABLE repository (
    name         TEXT   PRIMARY KEY NOT NULL,
    id           BIGINT NOT NULL CHECK (id > 0),
    path         TEXT   NOT NULL,
    installation BIGINT
);
CREATE INDEX repository_id ON repository (id);

-- Whom a login or a team's name belonged to when it was first looked up.
CREATE TABLE pin (
    kind TEXT   NOT NULL CHECK (kind IN ('user', 'team')),
    name TEXT   NOT NULL,
    id   BIGINT NOT NULL CHECK (id > 0),
    at   BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- A commit of a service on its way through the stages.
CREATE TABLE candidate (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    service    TEXT   NOT NULL,
    repository BIGINT NOT NULL,
    sha        TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    UNIQUE (service, repository, sha)
);
CREATE INDEX candidate_commit ON candidate (repository, sha);
CREATE INDEX candidate_newest ON candidate (service, id);

-- The newest report of each source about each gate of a commit.
CREATE TABLE gate_report (
    repository BIGINT NOT NULL,
    sha        TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    rank_id    BIGINT NOT NULL,
    attempt    BIGINT NOT NULL,
    phase      BIGINT NOT NULL,
    second     BIGINT NOT NULL,
    colour     BIGINT NOT NULL CHECK (colour IN (0, 1, 2)),
    at         BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (repository, sha, kind, name, source)
);
CREATE INDEX gate_report_at ON gate_report (at);

-- Somebody asked for a release.
CREATE TABLE request (
    number        BIGINT PRIMARY KEY NOT NULL CHECK (number > 0),
    service       TEXT   NOT NULL,
    environment   TEXT   NOT NULL,
    repository    BIGINT NOT NULL,
    sha           TEXT   NOT NULL,
    comment       BIGINT NOT NULL,
    state         TEXT   NOT NULL CHECK (state IN ('waiting', 'departing', 'unknown', 'sent', 'running',
        'succeeded', 'failed', 'cancelled', 'rejected', 'expired', 'superseded', 'voided')),
    external_kind TEXT,
    external_id   BIGINT,
    body          TEXT   NOT NULL,
    CHECK ((external_kind IS NULL) = (external_id IS NULL))
);
CREATE INDEX request_open ON request (service, number)
    WHERE state IN ('waiting', 'departing', 'unknown', 'sent', 'running');
CREATE UNIQUE INDEX request_under_way ON request (service, environment)
    WHERE state IN ('departing', 'unknown', 'sent', 'running');
CREATE INDEX request_external ON request (repository, external_kind, external_id);
CREATE INDEX request_commit ON request (repository, sha);
CREATE INDEX request_comment ON request (repository, comment);
CREATE INDEX request_succeeded ON request (service, environment, number) WHERE state = 'succeeded';

CREATE TRIGGER request_is_final
BEFORE UPDATE OF number, service, environment, repository, sha, comment ON request
BEGIN SELECT RAISE(ABORT, 'request: what was asked for never changes'); END;

-- Somebody said yes to a request. A row is never changed but for becoming void.
CREATE TABLE approval (
    request    BIGINT NOT NULL,
    person     BIGINT NOT NULL CHECK (person > 0),
    at         BIGINT NOT NULL,
    repository BIGINT NOT NULL,
    comment    BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    voided_at  BIGINT,
    PRIMARY KEY (request, person, at)
);
CREATE INDEX approval_comment ON approval (repository, comment);
CREATE UNIQUE INDEX approval_person ON approval (request, person) WHERE voided_at IS NULL;

CREATE TRIGGER approval_is_final
BEFORE UPDATE OF request, person, at, repository, comment, body ON approval
BEGIN SELECT RAISE(ABORT, 'approval: what was said never changes'); END;
CREATE TRIGGER approval_never_leaves BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'approval: what was said never changes'); END;

-- What runs where.
CREATE TABLE live (
    service     TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    sha         TEXT   NOT NULL,
    request     BIGINT,
    since       BIGINT NOT NULL,
    PRIMARY KEY (service, environment)
);

-- Environments that somebody closed.
CREATE TABLE env_lock (
    service     TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    by_id       BIGINT NOT NULL,
    by_login    TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    since       BIGINT NOT NULL,
    until_at    BIGINT,
    PRIMARY KEY (service, environment)
);

-- Runs that wait until we answer.
CREATE TABLE waiting_run (
    repository  BIGINT NOT NULL,
    run         BIGINT NOT NULL,
    environment TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (repository, run, environment)
);
CREATE INDEX waiting_run_environment ON waiting_run (repository, environment);

-- What was done and is not done again.
CREATE TABLE remembered (
    token TEXT   PRIMARY KEY NOT NULL,
    at    BIGINT NOT NULL
);
CREATE INDEX remembered_at ON remembered (at);

-- Numbers that are given out.
CREATE TABLE counter (
    name  TEXT   PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL CHECK (value >= 0)
);
INSERT INTO counter (name, value) VALUES ('request', 0);

-- Whom we must not call before a time, for all processes.
CREATE TABLE quiet (
    channel  TEXT   PRIMARY KEY NOT NULL,
    until_at BIGINT NOT NULL,
    why      TEXT   NOT NULL
);

-- Through which installation an effect leaves, what it must not overtake, what came of it.
ALTER TABLE outbox ADD COLUMN channel TEXT;
ALTER TABLE outbox ADD COLUMN thread TEXT;
ALTER TABLE outbox ADD COLUMN result TEXT;
CREATE INDEX outbox_thread ON outbox (thread, id) WHERE thread IS NOT NULL;

-- What a timer says when it fires, and in which lane.
ALTER TABLE timer ADD COLUMN lane TEXT;
ALTER TABLE timer ADD COLUMN body TEXT;
