-- Who gave commands within the last minute, and how many: a stranger is answered once, and nobody without end.
CREATE TABLE caller (
    repository BIGINT NOT NULL,
    account    BIGINT NOT NULL CHECK (account > 0),
    until_at   BIGINT NOT NULL,
    heard      BIGINT NOT NULL CHECK (heard > 0),
    stranger   BIGINT NOT NULL CHECK (stranger IN (0, 1)),
    PRIMARY KEY (repository, account)
);
CREATE INDEX caller_until ON caller (until_at);
