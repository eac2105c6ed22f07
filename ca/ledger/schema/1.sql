-- Written once for both engines; sqlite.go and postgres.go say what the words in braces stand
-- for. Times are microseconds since 1970, in UTC.

-- The chain: what has happened, in order. Rows are added and never changed. Everything else
-- follows from it and from the certificates themselves.
CREATE TABLE entries (
    seq  {seq} PRIMARY KEY, -- 1, 2, 3 …
    at   BIGINT NOT NULL,
    kind {text} NOT NULL,   -- issue, revoke, release, authority, crl
    body {text} NOT NULL,   -- JSON
    prev {bytes} NOT NULL,  -- hash of the entry before
    hash {bytes} NOT NULL   -- append.go says of what
);

-- To find what is not a certificate among a million that are.
CREATE INDEX entries_other ON entries (seq) WHERE kind <> 'issue';

-- The last entry. Who writes holds the lock of this row.
CREATE TABLE head (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    hash {bytes} NOT NULL
);

CREATE TABLE certificates (
    seq           {seq} PRIMARY KEY, -- of the entry
    issued_at     BIGINT NOT NULL,
    fingerprint   {bytes} NOT NULL,  -- SHA-256 of der
    serial        {bytes} NOT NULL,
    issuer_key_id {bytes} NOT NULL,
    kind          {text} NOT NULL,   -- root, intermediate, leaf
    not_before    BIGINT NOT NULL,
    not_after     BIGINT NOT NULL,
    revoked_at    BIGINT,
    reason        BIGINT,            -- RFC 5280, 5.3.1
    revoked_seq   BIGINT,            -- of the entry that revoked it
    replaces      {bytes},           -- fingerprint
    replaced_seq  BIGINT,            -- of the last certificate that replaces it
    common_name   {text} NOT NULL,
    subject       {text} NOT NULL,
    issuer        {text} NOT NULL,
    host          {text} NOT NULL,
    profile       {text} NOT NULL,
    why           {text} NOT NULL,
    der           {bytes} NOT NULL
);

-- An index costs every certificate that is issued; those with a condition cost only the few
-- that meet it. Lists are read in the order of an index, then of seq, which SQLite has at the
-- end of every index anyway.
CREATE UNIQUE INDEX certificates_serial ON certificates (serial, issuer_key_id);
CREATE UNIQUE INDEX certificates_fingerprint ON certificates (fingerprint);
CREATE INDEX certificates_name ON certificates (common_name, subject{seq too});
CREATE INDEX certificates_host ON certificates (host{seq too});
CREATE INDEX certificates_expiry ON certificates (not_after{seq too});
CREATE INDEX certificates_issued ON certificates (issued_at{seq too});
CREATE INDEX certificates_issuer ON certificates (issuer_key_id{seq too});
CREATE INDEX certificates_current ON certificates (not_after{seq too}) WHERE replaced_seq IS NULL;
CREATE INDEX certificates_ca ON certificates (seq) WHERE kind <> 'leaf';
CREATE INDEX certificates_early ON certificates (not_before{seq too}) WHERE not_before > issued_at;
CREATE INDEX certificates_revoked ON certificates (seq) WHERE revoked_at IS NOT NULL;
CREATE INDEX certificates_crl ON certificates (issuer_key_id, not_after, serial, revoked_at, reason) WHERE revoked_at IS NOT NULL;

-- The subject alternative names.
CREATE TABLE names (
    seq   BIGINT NOT NULL, -- of the certificate
    place BIGINT NOT NULL, -- among its names
    kind  {text} NOT NULL, -- dns, uri, ip, email
    value {text} NOT NULL,
    PRIMARY KEY (seq, place)
) {clustered};

CREATE INDEX names_value ON names (value, seq);

CREATE TABLE authorities (
    name        {text} PRIMARY KEY,
    fingerprint {bytes} NOT NULL, -- of its current certificate
    parent      {text} NOT NULL,
    state       {text} NOT NULL,  -- active, next, retired
    issuing     BIGINT NOT NULL,  -- 1 for the one that issues leaves
    seq         BIGINT NOT NULL   -- of the entry that last said so
);

CREATE TABLE crls (
    seq           {seq} PRIMARY KEY, -- of the entry
    issuer_key_id {bytes} NOT NULL,
    number        BIGINT NOT NULL,
    base          BIGINT NOT NULL,   -- of a delta CRL; 0 for a complete one
    this_update   BIGINT NOT NULL,
    next_update   BIGINT NOT NULL,
    size          BIGINT NOT NULL,   -- bytes of DER
    sha256        {bytes} NOT NULL,
    entries       BIGINT NOT NULL
);

CREATE UNIQUE INDEX crls_number ON crls (issuer_key_id, number);
