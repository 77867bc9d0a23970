//! Any bytes read as a file of this format: see the laws in the library beside.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rating_core::cdr::Format;

fuzz_target!(|data: &[u8]| rating_fuzz::check(Format::Yeastar, data));
