-- What hosts ask a server for: tokens, denied names, and names that are held.

CREATE TABLE tokens (
    id          {bytes} PRIMARY KEY,
    secret_hash {bytes},          -- SHA-256; NULL: an approval, known by request
    names       {text} NOT NULL,  -- one a line
    pattern     {text} NOT NULL,  -- empty if there are names
    profile     {text} NOT NULL,
    uses        BIGINT NOT NULL,  -- how many keys may use it
    expires_at  BIGINT NOT NULL,
    networks    {text} NOT NULL,  -- one a line
    for_key     {bytes},          -- ca.KeyHash; NULL: any key
    may_replace BIGINT NOT NULL,  -- 1: it gives a name that another key holds
    why         {text} NOT NULL,
    request     {bytes},          -- SHA-256 of the request that was approved or denied; NULL: a token, known by its secret
    seq         BIGINT NOT NULL,  -- of the entry
    made_at     BIGINT NOT NULL,
    revoked_at  BIGINT,
    void_seq    BIGINT            -- of the entry of a restore
) {clustered};

CREATE UNIQUE INDEX tokens_seq ON tokens (seq);
CREATE INDEX tokens_request ON tokens (request) WHERE request IS NOT NULL;

-- Which key used which token, for which certificate.
CREATE TABLE token_uses (
    token    {bytes} NOT NULL,
    key_hash {bytes} NOT NULL,
    seq      BIGINT NOT NULL, -- of the certificate
    PRIMARY KEY (token, key_hash)
) {clustered};

CREATE UNIQUE INDEX token_uses_seq ON token_uses (seq);

-- Requests that wait for the operator. No entry is about them before that.
CREATE TABLE requests (
    id          {bytes} PRIMARY KEY, -- SHA-256 of key, names and profile
    common_name {text} NOT NULL,
    names       {text} NOT NULL,     -- alternative ones, one a line
    profile     {text} NOT NULL,
    key_hash    {bytes} NOT NULL,
    key_place   {text} NOT NULL,
    address     {text} NOT NULL,     -- of the host; empty: unknown
    source      {text} NOT NULL,     -- the network of which the requests are counted
    asked_at    BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
) {clustered};

-- The names that get no certificate.
CREATE TABLE denials (
    name {text} PRIMARY KEY, -- the common name
    seq  BIGINT NOT NULL,    -- of the entry
    at   BIGINT NOT NULL,
    why  {text} NOT NULL
) {clustered};

-- The last complete CRL of a key, for the servers that publish it.
CREATE TABLE lists (
    issuer_key {bytes} PRIMARY KEY,
    seq        BIGINT NOT NULL, -- of the CRL
    der        {bytes} NOT NULL
) {clustered};

-- When the holder of a name last got an answer of a server. Nothing in the chain says so.
CREATE TABLE contacts (
    name     {text} PRIMARY KEY, -- the common name
    at       BIGINT NOT NULL,
    renew_at BIGINT NOT NULL,    -- the earliest time that it was told to renew at
    version  {text} NOT NULL     -- of kedge on the host, which says so
) {clustered};

-- The events that were reported. Nothing in the chain says so.
CREATE TABLE notices (
    event {text} PRIMARY KEY,
    at    BIGINT NOT NULL
) {clustered};

ALTER TABLE lineages ADD COLUMN common_name {text} NOT NULL DEFAULT '';
ALTER TABLE lineages ADD COLUMN recoveries BIGINT NOT NULL DEFAULT 0; -- renewals by a host after its certificate had expired
UPDATE lineages SET common_name = coalesce((SELECT c.common_name FROM certificates c WHERE c.seq = lineages.newest), '');
ALTER TABLE lineages ADD COLUMN only_key {bytes}; -- ca.KeyHash of the key that alone can renew newest; NULL: any
CREATE INDEX lineages_common ON lineages (common_name);

-- 1 for the names of enrollment servers, which no leaf has.
ALTER TABLE names ADD COLUMN server BIGINT NOT NULL DEFAULT 0;
CREATE INDEX names_server ON names (value) WHERE server = 1;

-- A program of schema 1 or 2 that still has the ledger open sets tail to seq or leaves it, and is
-- refused with the name of the constraint.
ALTER TABLE head DROP COLUMN tail;
ALTER TABLE head ADD COLUMN tail BIGINT
    CONSTRAINT "this kedge-ca is older than the ledger, use the newer one" CHECK (tail = -seq);
UPDATE head SET tail = -seq;
