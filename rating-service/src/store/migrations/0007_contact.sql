-- A contact that no customer system brings is typed; once one brings it, it is that system's.
ALTER TABLE occupier_contact ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0;
