//! Prices, dated: decks and settings that people write, and the flat tables they are compiled to.
