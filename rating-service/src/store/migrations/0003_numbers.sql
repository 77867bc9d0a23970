-- Numbers as they stand, the history of what happened to them, and who held them when.

CREATE TABLE number (
    number TEXT PRIMARY KEY,
    site TEXT NOT NULL REFERENCES site (id),
    kind TEXT NOT NULL CHECK (kind IN ('ddi', 'main')),
    origin TEXT NOT NULL CHECK (origin IN ('own', 'ported')),
    state TEXT NOT NULL CHECK (state IN ('AVAILABLE', 'RESERVED', 'PENDING', 'ACTIVE', 'COOLDOWN')),
    towards TEXT CHECK (towards IN ('ACTIVE', 'RESERVED', 'COOLDOWN')),
    holder TEXT,
    used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1)),
    extension TEXT,
    assigned_kind TEXT CHECK (assigned_kind IN ('user', 'device', 'place', 'softphone')),
    assigned TEXT,
    logged_in TEXT,
    label TEXT,
    cool_off_until INTEGER,
    cool_off_days INTEGER CHECK (cool_off_days BETWEEN 1 AND 999),
    last_holder TEXT,
    hold_prospect TEXT,
    hold_until INTEGER,
    hold_lines INTEGER,
    changed_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    CHECK ((holder IS NULL) = (state IN ('AVAILABLE', 'COOLDOWN'))),
    CHECK ((towards IS NULL) = (state <> 'PENDING'))
) STRICT;
CREATE INDEX number_by_site ON number (site, number);
CREATE INDEX number_by_holder ON number (holder, site);

CREATE TABLE number_event (
    seq INTEGER PRIMARY KEY,
    number TEXT NOT NULL,
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX number_event_by_number ON number_event (number, seq);
CREATE TRIGGER number_event_is_not_edited BEFORE UPDATE ON number_event BEGIN SELECT RAISE (ABORT, 'history is not edited'); END;
CREATE TRIGGER number_event_is_not_deleted BEFORE DELETE ON number_event BEGIN SELECT RAISE (ABORT, 'history is not edited'); END;

-- The engine's rows: a row is never changed, another takes its place. A row without holder takes another back.
CREATE TABLE allocation (
    seq INTEGER PRIMARY KEY,
    holder TEXT,
    site TEXT NOT NULL,
    number TEXT NOT NULL,
    extension TEXT,
    valid_from INTEGER NOT NULL,
    valid_until INTEGER,
    recorded_at INTEGER NOT NULL,
    supersedes INTEGER UNIQUE REFERENCES allocation (seq),
    CHECK (valid_until IS NULL OR valid_until > valid_from)
) STRICT;
CREATE INDEX allocation_by_number ON allocation (number);
CREATE TRIGGER allocation_is_not_edited BEFORE UPDATE ON allocation BEGIN SELECT RAISE (ABORT, 'history is not edited'); END;
CREATE TRIGGER allocation_is_not_deleted BEFORE DELETE ON allocation BEGIN SELECT RAISE (ABORT, 'history is not edited'); END;
-- The last guard: of the rows in force, no two of a number overlap.
CREATE TRIGGER allocation_has_one_holder BEFORE INSERT ON allocation WHEN NEW.holder IS NOT NULL BEGIN
    SELECT RAISE (ABORT, 'two holders at one time') WHERE EXISTS (
        SELECT 1 FROM allocation AS other
        WHERE other.number = NEW.number AND other.holder IS NOT NULL
        AND other.seq IS NOT NEW.supersedes
        AND NOT EXISTS (SELECT 1 FROM allocation AS newer WHERE newer.supersedes = other.seq)
        AND (other.valid_until IS NULL OR other.valid_until > NEW.valid_from)
        AND (NEW.valid_until IS NULL OR NEW.valid_until > other.valid_from)
    );
END;

-- What a number does with calls, and its secrets.
CREATE TABLE number_settings (
    number TEXT PRIMARY KEY REFERENCES number (number),
    features TEXT NOT NULL DEFAULT '{}',
    handling TEXT,
    pin TEXT,
    authorization_code TEXT,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE site_event (
    id TEXT PRIMARY KEY,
    site TEXT NOT NULL REFERENCES site (id),
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX site_event_by_site ON site_event (site);
