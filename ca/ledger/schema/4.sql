-- What has left the database, into files: archive.go. A program of schema 3 that still has the ledger
-- open goes on: what it writes is as before, and what has left is nothing that it needs.

CREATE TABLE segments (
    number    BIGINT PRIMARY KEY, -- 1, 2, 3 …
    seq       BIGINT NOT NULL,    -- of the entry
    file      {text} NOT NULL,    -- its name in the folder of the archive
    digest    {bytes} NOT NULL,   -- SHA-256 of its manifest
    records   BIGINT NOT NULL,
    first_seq BIGINT NOT NULL,    -- of its records
    last_seq  BIGINT NOT NULL,
    head_seq  BIGINT NOT NULL,    -- the end of the chain when it was begun
    gone      BIGINT NOT NULL,    -- records that the database no longer has
    done      BIGINT NOT NULL     -- 1: no more of them leave
) {clustered};

-- The renewals that were refused, and what was decided about them: what they name does not leave.
CREATE INDEX entries_clones ON entries (seq) WHERE kind IN ('clone', 'resolve');
