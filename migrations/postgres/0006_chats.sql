-- What a chat is told about a commit and an environment; the newest one counts.
CREATE TABLE notice (
    number      BIGINT PRIMARY KEY NOT NULL CHECK (number > 0),
    service     TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    sha         TEXT   NOT NULL,
    is_offer    BIGINT NOT NULL CHECK (is_offer IN (0, 1)),
    body        TEXT   NOT NULL
);
CREATE INDEX notice_commit ON notice (service, environment, sha, number);
CREATE INDEX notice_offer ON notice (service, environment, number) WHERE is_offer = 1;

-- Whose account in a chat is whose on the forge. An identity, never a right.
CREATE TABLE identity (
    chat      TEXT   NOT NULL CHECK (chat IN ('discord', 'slack')),
    tenant    TEXT   NOT NULL,
    chat_user TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    forge     TEXT   NOT NULL,
    account   BIGINT NOT NULL CHECK (account > 0),
    login     TEXT   NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (chat, tenant, chat_user)
);
CREATE INDEX identity_account ON identity (forge, account);

-- Codes that were given out to make a link with. Only their hashes are here.
CREATE TABLE link_offer (
    number     BIGINT PRIMARY KEY NOT NULL CHECK (number > 0),
    code       TEXT   NOT NULL UNIQUE CHECK (length(code) = 64),
    spot       TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    account    BIGINT,
    login      TEXT,
    CHECK ((account IS NULL) = (login IS NULL))
);
CREATE INDEX link_offer_expires ON link_offer (expires_at);

INSERT INTO counter (name, value) VALUES ('notice', 0);
