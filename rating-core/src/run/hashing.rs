//! SHA-256 of whole files.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::publish::hex;

/// How much is read at once: little enough to be in the cache still when it is hashed.
const PIECE: usize = 256 << 10;

/// The system copies into the beginning of a page several times faster than beside it, on some processors.
const PAGE: usize = 4096;

/// Reads files and hashes them; one for each thread, so that its memory is taken once.
pub(super) struct FileHasher {
    memory: Vec<u8>,
}

impl FileHasher {
    #[must_use]
    pub(super) fn new() -> Self {
        Self { memory: vec![0; PIECE + PAGE] }
    }

    /// The hash of everything that `reader` gives, in hexadecimal, and how many bytes that was.
    ///
    /// # Errors
    ///
    /// If reading fails.
    pub(super) fn hash(&mut self, reader: &mut dyn Read) -> io::Result<(String, u64)> {
        let start = self.memory.as_ptr().align_offset(PAGE).min(PAGE);
        let buffer = &mut self.memory[start..start + PIECE];
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        loop {
            match reader.read(buffer) {
                Ok(0) => return Ok((hex(&hash.finalize()), bytes)),
                Ok(read) => {
                    hash.update(&buffer[..read]);
                    bytes += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_length_has_the_hash_of_its_bytes() {
        let content: Vec<u8> = (0..=255).cycle().take(2 * PIECE + 1).collect();
        let mut hasher = FileHasher::new();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 1] {
            let expected = (hex(&Sha256::digest(&content[..length])), length as u64);
            assert_eq!(hasher.hash(&mut &content[..length]).unwrap(), expected);
        }
    }
}
