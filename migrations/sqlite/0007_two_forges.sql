-- A person in a chat can be linked with one account on each forge.
CREATE TABLE identity_of_forge (
    chat      TEXT   NOT NULL CHECK (chat IN ('discord', 'slack')),
    tenant    TEXT   NOT NULL,
    chat_user TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    forge     TEXT   NOT NULL CHECK (forge IN ('github', 'gitlab')),
    account   BIGINT NOT NULL CHECK (account > 0),
    login     TEXT   NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (chat, tenant, chat_user, forge)
);
INSERT INTO identity_of_forge (chat, tenant, chat_user, name, forge, account, login, linked_at)
    SELECT chat, tenant, chat_user, name, forge, account, login, linked_at FROM identity;
DROP TABLE identity;
ALTER TABLE identity_of_forge RENAME TO identity;
CREATE INDEX identity_account ON identity (forge, account);

-- Nothing is written there of what was kept while GitHub was the only forge.
ALTER TABLE link_offer ADD COLUMN forge TEXT;

ALTER TABLE env_lock ADD COLUMN by_forge TEXT;
