-- Switches, their files, tariffs, who is on which; and the months that are made from them.

CREATE TABLE source (
    id TEXT PRIMARY KEY COLLATE NOCASE,
    site TEXT NOT NULL REFERENCES site (id),
    format TEXT NOT NULL,
    zone TEXT NOT NULL,
    settings TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;

-- Files of the project: tariffs, decks, calendars, templates. Content is kept by its hash; a file that takes another's place
-- leaves the other's content where it is, for the runs that were made from it.
CREATE TABLE file (
    path TEXT PRIMARY KEY COLLATE NOCASE,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE assignment (
    id TEXT PRIMARY KEY,
    side TEXT NOT NULL CHECK (side IN ('retail', 'wholesale', 'allowance')),
    payer TEXT NOT NULL,
    site TEXT NOT NULL,
    tariff TEXT NOT NULL,
    valid_from TEXT NOT NULL DEFAULT '',
    valid_until TEXT NOT NULL DEFAULT '',
    quantity TEXT NOT NULL DEFAULT '',
    shared_by TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE exchange_rate (
    from_currency TEXT NOT NULL,
    to_currency TEXT NOT NULL,
    valid_from TEXT NOT NULL DEFAULT '',
    valid_until TEXT NOT NULL DEFAULT '',
    rate TEXT NOT NULL,
    PRIMARY KEY (from_currency, to_currency, valid_from)
) STRICT, WITHOUT ROWID;

CREATE TABLE accepted_gap (
    gap TEXT PRIMARY KEY,
    accepted_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    accepted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Settings of runs that are one of a kind: usage, limits. JSON.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

-- What became of each run of a month. Of a month at most one run is approved, and at most one published.
CREATE TABLE month_run (
    run TEXT PRIMARY KEY,
    month TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('checked', 'approved', 'published', 'superseded', 'discarded')),
    checked_at INTEGER NOT NULL,
    checked_by TEXT NOT NULL,
    approved_at INTEGER,
    approved_by TEXT,
    published_at INTEGER,
    published_by TEXT,
    superseded_at INTEGER,
    findings TEXT NOT NULL DEFAULT '[]',
    CHECK (state <> 'approved' OR approved_at IS NOT NULL),
    CHECK (state NOT IN ('published', 'superseded') OR published_at IS NOT NULL)
) STRICT;
CREATE INDEX month_run_by_month ON month_run (month, checked_at);
CREATE UNIQUE INDEX one_approved ON month_run (month) WHERE state = 'approved';
CREATE UNIQUE INDEX one_published ON month_run (month) WHERE state = 'published';
