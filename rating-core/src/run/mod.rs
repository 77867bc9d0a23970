//! Drives every floor; the only module that opens files, and only through [`storage`].

pub mod generate;
pub mod inputs;
pub mod publish;
pub mod settings;
pub mod spill;
pub mod storage;
