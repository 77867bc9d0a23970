-- The operator's picture on every page.
CREATE TABLE operator_logo (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    media TEXT NOT NULL CHECK (media IN ('image/png', 'image/jpeg', 'image/webp')),
    bytes BLOB NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
