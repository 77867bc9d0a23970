//! Any bytes read as a template, and as a file read by one: see the laws in the library beside.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| rating_fuzz::check_template(data));
