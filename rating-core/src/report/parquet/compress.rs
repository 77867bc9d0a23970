//! zstd, with contexts that are made once for a thread: making one takes longer than compressing a small page.

use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, ParamSwitch, Strategy};

/// How a page is compressed. Both are zstd level 1, and any zstd reads both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// Repetitions are searched for.
    Search,
    /// Bytes get codes by how often they occur, and hardly any repetition is looked for: for digits that hardly repeat
    /// this comes to the same size in a quarter of the time.
    Count,
    /// A beginning of the page is [counted](Effort::Count); where it shrinks by less than a tenth, the page is wrapped as it
    /// is. For packed numbers, which sometimes are worth it.
    Try,
}

/// How much of a page is tried.
const TRIED: usize = 2_048;

/// The contexts of a thread.
#[derive(Default)]
pub(super) struct Contexts {
    search: Option<Compressor<'static>>,
    count: Option<Compressor<'static>>,
    buffer: Vec<u8>,
}

impl Contexts {
    /// Appends `page` to `out`, compressed.
    pub(super) fn compress(&mut self, page: &[u8], effort: Effort, out: &mut Vec<u8>) -> std::io::Result<()> {
        if effort == Effort::Try {
            if let Some(beginning) = page.get(..TRIED) {
                let before = out.len();
                self.compress(beginning, Effort::Count, out)?;
                let shrunk = out.len() - before;
                out.truncate(before);
                if shrunk * 10 > TRIED * 9 {
                    wrap(page, out);
                    return Ok(());
                }
            }
            return self.compress(page, Effort::Count, out);
        }
        let (context, make): (_, fn() -> _) = match effort {
            Effort::Search => (&mut self.search, || Compressor::new(1)),
            Effort::Count | Effort::Try => (&mut self.count, counting),
        };
        let context = match context {
            Some(context) => context,
            None => context.insert(make()?),
        };
        self.buffer.clear();
        self.buffer.reserve(zstd::zstd_safe::compress_bound(page.len()));
        context.compress_to_buffer(page, &mut self.buffer)?;
        out.extend_from_slice(&self.buffer);
        Ok(())
    }
}

/// A zstd frame of blocks that are not compressed (RFC 8878, 3.1.1): the content's size in four bytes, no checksum.
fn wrap(page: &[u8], out: &mut Vec<u8>) {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    const SIZE_IN_FOUR_BYTES_ONE_SEGMENT: u8 = 0b1010_0000;
    const BLOCK: usize = 128 << 10;
    out.extend_from_slice(&MAGIC);
    out.push(SIZE_IN_FOUR_BYTES_ONE_SEGMENT);
    // Pages are cut far below four gigabytes, which their own headers could not tell either.
    out.extend_from_slice(&u32::try_from(page.len()).unwrap_or(u32::MAX).to_le_bytes());
    let blocks = page.len().div_ceil(BLOCK);
    for (number, block) in (1..).zip(page.chunks(BLOCK)) {
        let header = u32::try_from(block.len()).unwrap_or(0) << 3 | u32::from(number == blocks);
        let [a, b, c, _] = header.to_le_bytes();
        out.extend_from_slice(&[a, b, c]);
        out.extend_from_slice(block);
    }
}

fn counting() -> std::io::Result<Compressor<'static>> {
    let mut context = Compressor::new(1)?;
    for parameter in [
        CParameter::Strategy(Strategy::ZSTD_fast),
        // Steps over so many bytes where nothing was found.
        CParameter::TargetLength(4_096),
        CParameter::MinMatch(7),
        CParameter::HashLog(6),
        CParameter::LiteralCompressionMode(ParamSwitch::Enable),
    ] {
        context.set_parameter(parameter)?;
    }
    Ok(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_effort_zstd_reads_the_page() {
        // Bytes without any order, then some that hardly differ, after as many of either kind as are tried.
        let noise = |length: usize| -> Vec<u8> {
            (0..length as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8 ^ (n >> 3) as u8).collect()
        };
        let mut contexts = Contexts::default();
        let mut lengths = Vec::new();
        for page in [noise(5_000), noise(300_000), vec![7; 300_000], noise(TRIED - 1), noise(TRIED), vec![7; TRIED]] {
            for effort in [Effort::Search, Effort::Count, Effort::Try] {
                let mut out = b"before".to_vec();
                contexts.compress(&page, effort, &mut out).unwrap();
                assert!(zstd::bulk::decompress(&out[6..], 1 << 20).unwrap() == page);
                lengths.push((effort, page.len(), out.len() - 6));
            }
        }
        // Three blocks and the frame's nine bytes; what repeats is still found.
        assert!(lengths.contains(&(Effort::Try, 300_000, 300_000 + 9 + 3 * 3)), "{lengths:?}");
        assert!(lengths.iter().any(|(effort, of, long)| *effort == Effort::Try && *of == 300_000 && *long < 30_000));
    }
}
