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
}

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
        let (context, make): (_, fn() -> _) = match effort {
            Effort::Search => (&mut self.search, || Compressor::new(1)),
            Effort::Count => (&mut self.count, counting),
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
