-- Occupiers, their contracts, voice services, and what their portal shows.

CREATE TABLE occupier (
    id TEXT PRIMARY KEY COLLATE NOCASE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('residential', 'virtual')),
    billing_reference TEXT NOT NULL UNIQUE,
    telephony_managed INTEGER NOT NULL DEFAULT 1 CHECK (telephony_managed IN (0, 1)),
    suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)),
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

CREATE TABLE contract (
    id TEXT PRIMARY KEY COLLATE NOCASE,
    occupier TEXT NOT NULL REFERENCES occupier (id),
    site TEXT NOT NULL REFERENCES site (id),
    name TEXT NOT NULL,
    occupancy INTEGER NOT NULL DEFAULT 0 CHECK (occupancy IN (0, 1)),
    starts TEXT NOT NULL,
    ends TEXT,
    move_in TEXT,
    deprovision_at_end INTEGER NOT NULL DEFAULT 0 CHECK (deprovision_at_end IN (0, 1)),
    deprovisioned_at INTEGER,
    external_reference TEXT NOT NULL DEFAULT '',
    billing_site TEXT,
    discarded_at INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX contract_by_occupier ON contract (occupier, site);

-- What can be sold at a site, and for how much.
CREATE TABLE product (
    id TEXT NOT NULL,
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

-- Dated services: one is changed by ending it and adding another.
CREATE TABLE service (
    id TEXT PRIMARY KEY,
    contract TEXT NOT NULL REFERENCES contract (id),
    product TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity >= 1),
    lines INTEGER NOT NULL CHECK (lines >= 0),
    tariff TEXT NOT NULL,
    allowance TEXT NOT NULL,
    service_level TEXT NOT NULL,
    features TEXT NOT NULL,
    starts TEXT NOT NULL,
    ends TEXT,
    updating INTEGER NOT NULL DEFAULT 0 CHECK (updating IN (0, 1)),
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX service_by_contract ON service (contract);

-- What an occupier's portal shows, and whether it is open.
CREATE TABLE portal (
    occupier TEXT PRIMARY KEY REFERENCES occupier (id),
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    level TEXT NOT NULL,
    activated_at INTEGER NOT NULL,
    deactivated_at INTEGER,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;
