-- Exchange rates are a setting like the others: one list, with a revision.
INSERT INTO setting (name, content)
SELECT 'exchange_rates', json_group_array(json_object(
    'from_currency', from_currency, 'to_currency', to_currency, 'rate', rate, 'from', valid_from, 'until', valid_until
)) FROM exchange_rate HAVING count(*) > 0;
DROP TABLE exchange_rate;

-- An address belongs to one user of a company, not to one of all: whoever adds a user learns nothing of other companies. The
-- operator is the company with an empty id.
CREATE TABLE person_of_company (
    user TEXT PRIMARY KEY REFERENCES user (id),
    company TEXT NOT NULL,
    email TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL,
    language TEXT NOT NULL DEFAULT 'en',
    password TEXT,
    UNIQUE (email, company)
) STRICT;
INSERT INTO person_of_company
SELECT person.user, coalesce(user.occupier, ''), person.email, person.name, person.language, person.password
FROM person JOIN user ON user.id = person.user;
DROP TABLE person;
ALTER TABLE person_of_company RENAME TO person;
