-- Every index costs on each append. Entries are found by time through their numbers, because clocks never slip
-- further than `ledger_head` says.
DROP INDEX ledger_entry_at;
DROP INDEX ledger_entry_action;
-- What is about the log and the service themselves is rare, and looked for by its action.
CREATE INDEX ledger_entry_own ON ledger_entry (action, seq) WHERE action IN ('log.opened', 'key.rotated', 'head.adopted',
    'database.restored', 'private.erased', 'checkpoint.anchored', 'configuration.loaded', 'token.made', 'token.revoked');

-- Combinations are derived by the database, because asking it for each entry costs more than the look.
CREATE FUNCTION ledger_entry_is_found() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_about (about, service, environment, person, action, outcome)
        SELECT NEW.about, NEW.service, NEW.environment, NEW.person, NEW.action, NEW.outcome
        WHERE NOT EXISTS (SELECT 1 FROM ledger_about WHERE about = NEW.about)
        ON CONFLICT (about) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_entry_is_found AFTER INSERT ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_found();
-- What somebody was called last is known from the entries of what they did.
CREATE FUNCTION ledger_private_knows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO person (person, login, at)
        SELECT person, CAST(NEW.value AS JSON) #>> '{}', at FROM ledger_entry WHERE seq = NEW.seq AND person IS NOT NULL
        ON CONFLICT (person) DO UPDATE SET login = excluded.login, at = excluded.at WHERE person.login <> excluded.login;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_private_knows AFTER INSERT ON ledger_private
FOR EACH ROW WHEN (NEW.name = 'actor.login') EXECUTE FUNCTION ledger_private_knows();
