-- Instants are milliseconds since 1970-01-01T00:00:00Z. Numbers are text. Dates are YYYY-MM-DD at their site.
-- History is appended: the triggers below forbid to edit it.

CREATE TABLE operator (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    zone TEXT NOT NULL,
    support_contact TEXT NOT NULL DEFAULT '',
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE site (
    id TEXT PRIMARY KEY COLLATE NOCASE,
    name TEXT NOT NULL,
    zone TEXT NOT NULL,
    country TEXT NOT NULL,
    area_code TEXT,
    outside_line TEXT NOT NULL DEFAULT '[]',
    extensions TEXT NOT NULL DEFAULT '[]',
    holidays TEXT NOT NULL DEFAULT '[]',
    business_hours TEXT NOT NULL,
    cool_off_days INTEGER NOT NULL DEFAULT 90 CHECK (cool_off_days BETWEEN 1 AND 999),
    confirms_changes INTEGER NOT NULL DEFAULT 0 CHECK (confirms_changes IN (0, 1)),
    main_number_with_first_service INTEGER NOT NULL DEFAULT 0 CHECK (main_number_with_first_service IN (0, 1)),
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;

-- Who may sign in. What tells who it is, is in `person`, and can be erased.
CREATE TABLE user (
    id TEXT PRIMARY KEY,
    occupier TEXT,
    role TEXT NOT NULL,
    every_site INTEGER NOT NULL CHECK (every_site IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'closed')),
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    revision INTEGER NOT NULL DEFAULT 1,
    CHECK (
        (occupier IS NULL AND role IN ('operator_admin', 'operator_user'))
        OR (occupier IS NOT NULL AND role IN ('occupier_view', 'occupier_edit', 'occupier_admin'))
    )
) STRICT;
CREATE INDEX user_by_occupier ON user (occupier);

CREATE TABLE person (
    user TEXT PRIMARY KEY REFERENCES user (id),
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,
    language TEXT NOT NULL DEFAULT 'en',
    password TEXT
) STRICT;

CREATE TABLE user_site (
    user TEXT NOT NULL REFERENCES user (id),
    site TEXT NOT NULL REFERENCES site (id),
    PRIMARY KEY (user, site)
) STRICT, WITHOUT ROWID;

-- Secrets are kept as their SHA-256.
CREATE TABLE session (
    secret BLOB PRIMARY KEY,
    user TEXT NOT NULL REFERENCES user (id),
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_user ON session (user);

CREATE TABLE invitation (
    secret BLOB PRIMARY KEY,
    user TEXT NOT NULL REFERENCES user (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('join', 'reset')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE setup_link (
    secret BLOB PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    id TEXT PRIMARY KEY,
    secret BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    every_site INTEGER NOT NULL CHECK (every_site IN (0, 1)),
    sites TEXT NOT NULL DEFAULT '[]',
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE TABLE idempotency (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    status INTEGER,
    headers TEXT,
    body BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;

-- Who did what, when: each entry is chained to the one before it by a hash over both.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    site TEXT,
    occupier TEXT,
    details TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_occupier ON audit (occupier, seq);
CREATE INDEX audit_by_subject ON audit (subject, seq);
CREATE TRIGGER audit_is_not_edited BEFORE UPDATE ON audit BEGIN SELECT RAISE (ABORT, 'history is not edited'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE (ABORT, 'history is not edited'); END;
