//! Who is on which tariff, from when.
