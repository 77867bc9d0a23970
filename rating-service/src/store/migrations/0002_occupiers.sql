-- Occupiers, their contracts, voice services, and what their portal shows.

CREATE TABLE occupier (
    id TEXT PRIMARY KEY COLLATE NOCASE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('residential', 'virtual')),
    billing_reference TEXT NOT NULL UNIQUE,
    telephony_managed INTEGER NOT NULL DEFAULT 1 CHECK (telephony_managed IN (0, 1)),
    decommission_at INTEGER,
    decommissioned_at INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;

-- Whom to write to: personal data, kept apart, changed by the sync alone.
CREATE TABLE occupier_contact (
    occupier TEXT PRIMARY KEY REFERENCES occupier (id),
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL DEFAULT '',
    synced_at INTEGER NOT NULL
) STRICT;

-- What other systems call an occupier: at most one name a system and site. An empty site is all sites.
CREATE TABLE external_identifier (
    occupier TEXT NOT NULL REFERENCES occupier (id),
    system TEXT NOT NULL,
    site TEXT NOT NULL DEFAULT '',
    identifier TEXT NOT NULL,
    PRIMARY KEY (occupier, system, site),
    UNIQUE (system, identifier, site)
) STRICT, WITHOUT ROWID;

-- An end of NULL is none. What it said before stands in the audit log.
CREATE TABLE contract (
    id TEXT PRIMARY KEY COLLATE NOCASE,
    occupier TEXT NOT NULL REFERENCES occupier (id),
    site TEXT NOT NULL REFERENCES site (id),
    name TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_until INTEGER CHECK (valid_until >= valid_from),
    move_in_at INTEGER,
    deprovision INTEGER NOT NULL DEFAULT 0 CHECK (deprovision IN (0, 1)),
    deprovisioned_at INTEGER,
    external_reference TEXT NOT NULL DEFAULT '',
    billing_site TEXT REFERENCES site (id),
    discarded_at INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX contract_by_occupier ON contract (occupier, site);
CREATE INDEX contract_by_end ON contract (valid_until) WHERE deprovision AND deprovisioned_at IS NULL;

-- What can be sold at a site, and for how much.
CREATE TABLE product (
    id TEXT NOT NULL COLLATE NOCASE,
    site TEXT NOT NULL REFERENCES site (id),
    name TEXT NOT NULL,
    is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    lines INTEGER NOT NULL DEFAULT 1 CHECK (lines >= 0),
    tariff TEXT NOT NULL DEFAULT '',
    allowance TEXT NOT NULL DEFAULT '',
    service_level TEXT NOT NULL DEFAULT '',
    features TEXT NOT NULL DEFAULT '[]',
    price_per_month TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;

-- Dated services: one is changed by ending it and adding another. What is kept is the time that was asked for; the contract
-- may leave less of it. A beginning of NULL is the contract's. Each says what its product said when it was assigned.
CREATE TABLE service (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    contract TEXT NOT NULL REFERENCES contract (id),
    product TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity >= 1),
    lines INTEGER NOT NULL CHECK (lines >= 0),
    tariff TEXT NOT NULL,
    allowance TEXT NOT NULL,
    service_level TEXT NOT NULL,
    features TEXT NOT NULL,
    asked_from INTEGER,
    asked_until INTEGER,
    is_updating INTEGER NOT NULL DEFAULT 0 CHECK (is_updating IN (0, 1)),
    replaces TEXT REFERENCES service (id),
    begun_at INTEGER,
    ended_at INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX service_by_contract ON service (contract);
CREATE INDEX service_open ON service (begun_at, ended_at) WHERE begun_at IS NULL OR ended_at IS NULL;

-- What an occupier's portal shows, and whether it is open.
CREATE TABLE portal (
    occupier TEXT PRIMARY KEY REFERENCES occupier (id),
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    level TEXT NOT NULL,
    activated_at INTEGER NOT NULL,
    deactivated_at INTEGER,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;
