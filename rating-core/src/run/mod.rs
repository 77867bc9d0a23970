//! Drives every floor; the only module that opens files.
