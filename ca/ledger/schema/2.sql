-- What the rules of a ledger go by: keys, lineages, and the keys of issuers. Rows that schema 1
-- wrote get theirs from migrate.go.

ALTER TABLE certificates ADD COLUMN key_hash {bytes} NOT NULL DEFAULT {none};   -- ca.KeyHash
ALTER TABLE certificates ADD COLUMN issuer_key {bytes} NOT NULL DEFAULT {none}; -- ca.KeyHash of the issuer; empty when schema 1 did not know it
ALTER TABLE certificates ADD COLUMN lineage BIGINT;                             -- seq of the first of those that replace one another; NULL for a CA

CREATE INDEX certificates_revoked_key ON certificates (key_hash) WHERE revoked_at IS NOT NULL;
DROP INDEX certificates_crl;
CREATE INDEX certificates_list ON certificates (issuer_key, not_after, serial, revoked_at, reason) WHERE revoked_at IS NOT NULL;

-- The lineages whose newest certificate may be renewed. A lineage that has ended has no row.
CREATE TABLE lineages (
    id     {seq} PRIMARY KEY,
    name   {text} NOT NULL, -- the subject
    newest BIGINT NOT NULL, -- seq of its newest certificate
    old    BIGINT NOT NULL  -- 1 for one of schema 1, when a name could have several
);

CREATE UNIQUE INDEX lineages_newest ON lineages (newest);
CREATE INDEX lineages_names ON lineages (name);
CREATE UNIQUE INDEX lineages_name ON lineages (name) WHERE old = 0;

ALTER TABLE crls ADD COLUMN issuer_key {bytes} NOT NULL DEFAULT {none};
DROP INDEX crls_number;
CREATE INDEX crls_numbers ON crls (issuer_key, number);

-- Revocations of certificates that the ledger does not have: of a list that was taken in.
CREATE TABLE revocations (
    issuer_key {bytes} NOT NULL,
    serial     {bytes} NOT NULL,
    revoked_at BIGINT NOT NULL,
    reason     BIGINT NOT NULL,
    seq        BIGINT NOT NULL, -- of the entry
    PRIMARY KEY (issuer_key, serial)
) {clustered};

-- To find the few entries of a CA that was taken over among those of what it issued before.
CREATE INDEX entries_takeover ON entries (seq) WHERE kind = 'takeover';

-- A program of schema 1 that still has the ledger open changes seq alone, and is refused with
-- the name of the constraint.
ALTER TABLE head ADD COLUMN tail BIGINT
    CONSTRAINT "this kedge-ca is older than the ledger, use the newer one" CHECK (tail = seq);
ALTER TABLE head ADD COLUMN at BIGINT NOT NULL DEFAULT 0; -- of the last entry
UPDATE head SET tail = seq, at = coalesce((SELECT e.at FROM entries e WHERE e.seq = head.seq), 0);
