//! Finding a source's files, unpacking them, and cutting them into chunks at record boundaries.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use globset::{GlobBuilder, GlobMatcher};

use super::storage::{Result, Storage, failed};
use crate::cdr::Reader;
use crate::cdr::records::LineEnd;
use crate::source::natural_order;

/// How much of a file is read before its layout is decided, and the size of a chunk.
pub const CHUNK: usize = 2 << 20;

/// The folder in a project that reports go to unless the caller names another; never searched for input.
pub const OUTPUT_FOLDER: &str = "out";

/// What [`find_files`] found, relative to the root, with `/` between, in natural order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Files that match.
    pub files: Vec<String>,
    /// Folders that match although nothing in them does: somebody may have meant them to be read.
    pub folders: Vec<String>,
}

/// How many folders one search looks into: links can make a small tree look like an endless one.
const MOST_FOLDERS: usize = 100_000;

/// A folder to look into.
struct Folder {
    /// Relative to the root.
    path: String,
    /// The folders that lead to it, links followed.
    way: Vec<PathBuf>,
}

/// Finds the files below `root` whose path relative to it matches one of `patterns` (`cdr/london/*.csv*`; `**` crosses
/// folders), each once. Hidden names are left out. Links to folders are followed, unless they lead back to a folder on
/// the way to them; only folders that a pattern can reach into are looked at.
///
/// # Errors
///
/// If a folder cannot be listed, or there are more than a hundred thousand.
pub fn find_files(storage: &dyn Storage, root: &Path, patterns: &[GlobMatcher]) -> Result<Found> {
    let reaches: Vec<Reach> = patterns.iter().map(|pattern| Reach::of(pattern.glob().glob())).collect();
    let mut found = Found::default();
    let mut folders = vec![Folder { path: String::new(), way: vec![storage.resolve(root)?] }];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        looked_at += 1;
        if looked_at > MOST_FOLDERS {
            let error = std::io::Error::other("there are more than 100,000 folders; is there a circle of links?");
            return Err(failed("search", root, error));
        }
        for entry in storage.list(&root.join(&folder.path))? {
            // A project's own reports are not its input, whatever `**` reaches.
            if entry.name.starts_with('.') || (folder.path.is_empty() && entry.is_folder && entry.name == OUTPUT_FOLDER)
            {
                continue;
            }
            let path =
                if folder.path.is_empty() { entry.name.clone() } else { format!("{}/{}", folder.path, entry.name) };
            let mut matching = patterns.iter().filter(|pattern| pattern.is_match(&path));
            if !entry.is_folder {
                if matching.next().is_some() {
                    found.files.push(path);
                }
                continue;
            }
            if matching.any(|pattern| !pattern.glob().glob().ends_with("**")) {
                found.folders.push(path.clone());
            }
            if !reaches.iter().any(|reach| reach.goes_below(&path)) {
                continue;
            }
            let real = match folder.way.last() {
                Some(parent) if !entry.is_link => parent.join(&entry.name),
                _ => storage.resolve(&root.join(&path))?,
            };
            if !folder.way.contains(&real) {
                let way = folder.way.iter().cloned().chain([real]).collect();
                folders.push(Folder { path, way });
            }
        }
    }
    found.files.sort_by(|left, right| natural_order(left, right));
    found.folders.retain(|folder| {
        !found.files.iter().any(|file| file.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')))
    });
    found.folders.sort_by(|left, right| natural_order(left, right));
    Ok(found)
}

/// Which folders a pattern can reach into.
struct Reach {
    /// The names that its paths begin with, as far as they are spelt out.
    names: Vec<String>,
    /// How many names its paths have, at most.
    depth: usize,
}

impl Reach {
    fn of(pattern: &str) -> Self {
        let special = |part: &&str| part.contains(['*', '?', '[', ']', '{', '}', '\\']);
        // Braces may hold a `/`: then nothing is known of the depth.
        let any_depth = pattern.contains("**") || pattern.contains('{');
        Self {
            names: pattern.split('/').take_while(|part| !special(part)).map(str::to_owned).collect(),
            depth: if any_depth { usize::MAX } else { pattern.split('/').count() },
        }
    }

    fn goes_below(&self, folder: &str) -> bool {
        folder.split('/').count() < self.depth && folder.split('/').zip(&self.names).all(|(name, part)| name == part)
    }
}

/// Compiles a file pattern; `*` and `?` do not cross folders, `**` does. A leading `./` is ignored.
///
/// # Errors
///
/// What is wrong with the pattern.
pub fn pattern(text: &str) -> std::result::Result<GlobMatcher, String> {
    GlobBuilder::new(text.strip_prefix("./").unwrap_or(text))
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| error.kind().to_string())
}

/// A file that tells how much of it was read.
struct Counted {
    inner: std::io::Take<Box<dyn Read + Send>>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Where memory pages begin.
const PAGE: usize = 4_096;

/// Bytes read from a file. They were read to the beginning of a page: what the kernel copies elsewhere takes several times
/// as long on some processors.
#[derive(Default)]
pub struct Buffer {
    memory: Vec<u8>,
    start: usize,
    end: usize,
}

impl std::ops::Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(self.start..self.end).unwrap_or_default()
    }
}

impl Buffer {
    /// Makes this, whatever it holds, a buffer that begins with `head` and has room for `length` bytes in all.
    fn begin(&mut self, head: &[u8], length: usize) {
        let needed = head.len() + length + 2 * PAGE;
        if self.memory.len() < needed {
            self.memory = vec![0; needed];
        }
        // The first page that begins behind room for the head.
        let after = self.memory.get(head.len()..).map_or(0, |rest| rest.as_ptr().align_offset(PAGE));
        self.end = head.len() + if after < PAGE { after } else { 0 };
        self.start = self.end - head.len();
        if let Some(place) = self.memory.get_mut(self.start..self.end) {
            place.copy_from_slice(head);
        }
    }

    /// Makes room for `length` bytes in all behind those there are.
    fn reserve(&mut self, length: usize) {
        if self.memory.len() < self.start + length {
            let mut grown = Self::default();
            grown.begin(self, length);
            *self = grown;
        }
    }
}

/// Buffers that are no longer needed, to be filled anew: making one takes longer than reading into it.
#[derive(Default)]
pub struct Spares(Vec<Buffer>);

impl Spares {
    /// More are never in use at once by one who reads.
    const KEPT: usize = 3;

    fn take(&mut self) -> Buffer {
        self.0.pop().unwrap_or_default()
    }

    /// Takes the buffer of a piece that is no longer needed.
    pub fn give(&mut self, buffer: Buffer) {
        if self.0.len() < Self::KEPT && !buffer.memory.is_empty() {
            self.0.push(buffer);
        }
    }
}

/// An input file being read, unpacked if it is packed.
pub struct Stream {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    /// How many bytes of the file as stored were read, and how many of them [`Stream::stored_progress`] told.
    stored: (Arc<AtomicU64>, u64),
    /// Bytes read and not yet handed out; begins at a record boundary once the body has begun.
    buffer: Buffer,
    /// Offset of `buffer`'s first byte in the unpacked file.
    offset: u64,
    ended: bool,
    /// Why reading stopped before the end, if it did: a packed file that is cut or damaged.
    damage: Option<String>,
    packed: Option<&'static str>,
}

/// A piece of an unpacked file that begins and ends at record boundaries.
pub struct Chunk {
    /// The bytes.
    pub bytes: Buffer,
    /// Offset of the first byte in the unpacked file.
    pub offset: u64,
    /// Whether the file ends here.
    pub last: bool,
}

/// What [`Stream::next_piece`] hands out.
pub enum Piece {
    /// Whole records.
    Records(Chunk),
    /// The beginning of a line that is longer than a record may be.
    TooLong(Chunk),
}

impl Stream {
    /// Opens a file. gzip and zstd are recognised by their first bytes, whatever the name says.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened or its first bytes not read.
    pub fn open(storage: &dyn Storage, path: &Path) -> Result<Self> {
        Self::open_into(storage, path, &mut Spares::default())
    }

    /// The same, with the buffer of a piece that is no longer needed.
    ///
    /// # Errors
    ///
    /// As [`Stream::open`].
    pub fn open_into(storage: &dyn Storage, path: &Path, spares: &mut Spares) -> Result<Self> {
        Self::open_beginning(storage, path, u64::MAX, spares)
    }

    /// The same for the first `bytes` of the file as it is stored: what a switch has written behind them since is not read.
    ///
    /// # Errors
    ///
    /// As [`Stream::open`].
    pub fn open_beginning(storage: &dyn Storage, path: &Path, bytes: u64, spares: &mut Spares) -> Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let mut raw = Counted { inner: storage.open(path)?.take(bytes), read: Arc::clone(&read) };
        let mut magic = Vec::new();
        raw.by_ref().take(4).read_to_end(&mut magic).map_err(|error| failed("read", path, error))?;
        let packed_with = match magic.as_slice() {
            [0x1f, 0x8b, ..] => "gzip",
            [0x28, 0xb5, 0x2f, 0xfd] => "zstd",
            _ => "",
        };
        let mut buffer = spares.take();
        let reader: Box<dyn Read + Send> = match packed_with {
            "gzip" => {
                buffer.begin(&[], CHUNK);
                Box::new(flate2::read::MultiGzDecoder::new(std::io::Cursor::new(magic).chain(raw)))
            }
            "zstd" => {
                buffer.begin(&[], CHUNK);
                let unpacked = zstd::Decoder::new(std::io::Cursor::new(magic).chain(raw));
                Box::new(unpacked.map_err(|error| failed("unpack", path, error))?)
            }
            _ => {
                buffer.begin(&magic, CHUNK);
                Box::new(raw)
            }
        };
        Ok(Self {
            path: path.to_owned(),
            reader,
            stored: (read, 0),
            buffer,
            offset: 0,
            ended: false,
            damage: None,
            packed: (!packed_with.is_empty()).then_some(packed_with),
        })
    }

    /// `gzip` or `zstd` if the file is packed.
    #[must_use]
    pub const fn packed_with(&self) -> Option<&'static str> {
        self.packed
    }

    /// The first bytes of the file, at most a chunk, and whether that is all of it. Nothing is consumed.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn head(&mut self) -> Result<(&[u8], bool)> {
        self.fill(CHUNK)?;
        Ok((&self.buffer, self.ended))
    }

    /// Steps over the first `length` bytes (a header).
    pub fn skip(&mut self, length: usize) {
        let length = length.min(self.buffer.len());
        self.buffer.start += length;
        self.offset += length as u64;
    }

    /// The next piece of a file that `reader` reads: see [`Stream::next_piece`].
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn next_of(&mut self, reader: &Reader, spares: &mut Spares) -> Result<Option<Piece>> {
        let line_end = match reader.line_end() {
            LineEnd::Lf => b'\n',
            LineEnd::Cr => b'\r',
        };
        self.next_piece(|buffer, at_end| reader.split_point(buffer, at_end), reader.min_buffer(), line_end, spares)
    }

    /// The next piece, or `None` at the end. `split` says where the last complete record of a buffer ends (0: nowhere),
    /// given whether the file ends with the buffer. A line of which `give_up` bytes hold no complete record comes as
    /// [`Piece::TooLong`]: its beginning only, the rest is stepped over up to the next `line_end`, so memory stays
    /// bounded whatever the line's length. `spares` are buffers of pieces that are no longer needed.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn next_piece(
        &mut self,
        split: impl Fn(&[u8], bool) -> usize,
        give_up: usize,
        line_end: u8,
        spares: &mut Spares,
    ) -> Result<Option<Piece>> {
        self.fill(CHUNK.max(give_up))?;
        if self.buffer.is_empty() {
            spares.give(std::mem::take(&mut self.buffer));
            return Ok(None);
        }
        let cut = if self.ended { self.buffer.len() } else { split(&self.buffer, false) };
        if cut == 0 {
            return self.step_over_line(line_end).map(Some);
        }
        let mut next = spares.take();
        next.begin(self.buffer.get(cut..).unwrap_or_default(), CHUNK.max(give_up));
        let mut bytes = std::mem::replace(&mut self.buffer, next);
        bytes.end = bytes.start + cut;
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        Ok(Some(Piece::Records(Chunk { bytes, offset, last: self.ended && self.buffer.is_empty() })))
    }

    fn step_over_line(&mut self, line_end: u8) -> Result<Piece> {
        let offset = self.offset;
        let mut beginning = Buffer::default();
        beginning.begin(&self.buffer, 0);
        loop {
            if let Some(at) = memchr::memchr(line_end, &self.buffer) {
                self.skip(at + 1);
                break;
            }
            self.skip(self.buffer.len());
            self.fill(CHUNK)?;
            if self.buffer.is_empty() {
                break;
            }
        }
        Ok(Piece::TooLong(Chunk { bytes: beginning, offset, last: false }))
    }

    /// How many bytes of the file, as it is stored, were read since this was last asked.
    pub fn stored_progress(&mut self) -> u64 {
        let read = self.stored.0.load(Ordering::Relaxed);
        read - std::mem::replace(&mut self.stored.1, read)
    }

    /// Why the file ended early, if it did.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    fn fill(&mut self, wanted: usize) -> Result<()> {
        if self.ended || self.buffer.len() >= wanted {
            return Ok(());
        }
        if self.buffer.is_empty() {
            self.buffer.begin(&[], wanted);
        }
        self.buffer.reserve(wanted);
        while self.buffer.len() < wanted {
            let end = self.buffer.start + wanted;
            let room = self.buffer.memory.get_mut(self.buffer.end..end).unwrap_or_default();
            match self.reader.read(room) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(());
                }
                Ok(read) => self.buffer.end += read.min(end - self.buffer.end),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // A packed stream that is cut or damaged: what came out so far is good and kept.
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::UnexpectedEof
                            | std::io::ErrorKind::InvalidData
                            | std::io::ErrorKind::InvalidInput
                            | std::io::ErrorKind::Other
                    ) =>
                {
                    self.ended = true;
                    self.damage = Some(error.to_string());
                    return Ok(());
                }
                Err(error) => return Err(failed("read", &self.path, error)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::storage::Disk;
    use super::*;

    fn lines(buffer: &[u8], _: bool) -> usize {
        memchr::memrchr(b'\n', buffer).map_or(0, |at| at + 1)
    }

    fn read_all(path: &Path) -> (Vec<u8>, Option<String>) {
        let mut stream = Stream::open(&Disk, path).unwrap();
        let mut content = Vec::new();
        let mut spares = Spares::default();
        while let Some(piece) = stream.next_piece(lines, 2 << 20, b'\n', &mut spares).unwrap() {
            let Piece::Records(chunk) = piece else { panic!("no line is too long") };
            assert_eq!(chunk.offset, content.len() as u64);
            assert!(chunk.last || chunk.bytes.ends_with(b"\n"));
            content.extend_from_slice(&chunk.bytes);
            // Buffers are used again.
            spares.give(chunk.bytes);
        }
        (content, stream.damage().map(str::to_owned))
    }

    #[test]
    fn packed_files_are_read_as_they_are_and_cut_ones_to_the_cut() {
        let folder = tempfile::tempdir().unwrap();
        let plain: Vec<u8> =
            (0..40_000).flat_map(|n| format!("line {n} {}\n", n * 7_919 % 10_007).into_bytes()).collect();
        let path = folder.path().join("x");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        let gzip = gzip.finish().unwrap();
        for packed in [plain.clone(), gzip.clone(), zstd::encode_all(&plain[..], 1).unwrap()] {
            std::fs::write(&path, packed).unwrap();
            assert_eq!(read_all(&path), (plain.clone(), None));
        }
        std::fs::write(&path, &gzip[..gzip.len() / 2]).unwrap();
        let (content, damage) = read_all(&path);
        assert!(damage.is_some() && plain.starts_with(&content) && !content.is_empty());
        std::fs::write(&path, "").unwrap();
        assert_eq!(read_all(&path), (Vec::new(), None));
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_stepped_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut content = b"before\n".to_vec();
        content.extend(vec![b'x'; 3 * CHUNK]);
        content.extend(b"\nafter\n");
        std::fs::write(&path, &content).unwrap();
        let mut stream = Stream::open(&Disk, &path).unwrap();
        let mut seen = Vec::new();
        let mut spares = Spares::default();
        while let Some(piece) = stream.next_piece(lines, 2 << 20, b'\n', &mut spares).unwrap() {
            seen.push(match piece {
                Piece::Records(chunk) => (chunk.offset, String::from_utf8(chunk.bytes.to_vec()).unwrap()),
                Piece::TooLong(chunk) => (chunk.offset, format!("{} bytes", chunk.bytes.len() / CHUNK * CHUNK)),
            });
        }
        let after = 7 + 3 * CHUNK as u64 + 1;
        assert_eq!(seen, [(0, "before\n".to_owned()), (7, format!("{CHUNK} bytes")), (after, "after\n".to_owned())]);
    }

    #[test]
    fn files_are_found_once_in_natural_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cdr/a/f10.csv", "cdr/a/f9.csv", "cdr/b/x.csv.gz", "cdr/.hidden.csv", "note.txt"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::fs::create_dir(folder.path().join("cdr/c.csv")).unwrap();
        std::fs::write(folder.path().join("cdr/c.csv/y.txt"), "").unwrap();
        let find = |patterns: &[&str]| {
            let patterns: Vec<GlobMatcher> = patterns.iter().map(|text| pattern(text).unwrap()).collect();
            let found = find_files(&Disk, folder.path(), &patterns).unwrap();
            (found.files.join(" "), found.folders.join(" "))
        };
        for (patterns, files, folders) in [
            (&["cdr/a/*.csv", "cdr/a/f9*"][..], "cdr/a/f9.csv cdr/a/f10.csv", ""),
            (&["cdr/**/*.csv*"], "cdr/a/f9.csv cdr/a/f10.csv cdr/b/x.csv.gz", "cdr/c.csv"),
            (&["cdr/**"], "cdr/a/f9.csv cdr/a/f10.csv cdr/b/x.csv.gz cdr/c.csv/y.txt", ""),
            (&["cdr/*/*"], "cdr/a/f9.csv cdr/a/f10.csv cdr/b/x.csv.gz cdr/c.csv/y.txt", ""),
            (&["cdr/{a/f9,b/x}.csv*"], "cdr/a/f9.csv cdr/b/x.csv.gz", ""),
            (&["**/x.csv.gz"], "cdr/b/x.csv.gz", ""),
            (&["cdr/*"], "", "cdr/a cdr/b cdr/c.csv"),
            (&["*.csv"], "", ""),
            (&["note.txt", "cdr/a/[f]10.csv"], "cdr/a/f10.csv note.txt", ""),
        ] {
            assert_eq!(find(patterns), (files.to_owned(), folders.to_owned()), "{patterns:?}");
        }
        assert!(pattern("a[").is_err());
    }

    #[test]
    fn links_to_folders_are_followed_and_circles_are_not() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir_all(root.join("cdr/ldn")).unwrap();
        std::fs::create_dir_all(root.join("cdr/nyc")).unwrap();
        std::fs::create_dir_all(folder.path().join("elsewhere")).unwrap();
        std::fs::write(root.join("cdr/ldn/a.csv"), "").unwrap();
        std::fs::write(folder.path().join("elsewhere/b.csv"), "").unwrap();
        symlink("../../elsewhere", root.join("cdr/linked")).unwrap();
        symlink(".", root.join("cdr/itself")).unwrap();
        symlink("../..", root.join("cdr/ldn/up")).unwrap();
        // Two folders that link to each other: each is seen once on each way.
        symlink("../nyc", root.join("cdr/ldn/nyc")).unwrap();
        symlink("../ldn", root.join("cdr/nyc/ldn")).unwrap();
        let patterns = [pattern("**/*.csv").unwrap()];
        let found = find_files(&Disk, &root, &patterns).unwrap();
        assert_eq!(found.files, ["cdr/ldn/a.csv", "cdr/linked/b.csv", "cdr/nyc/ldn/a.csv"]);
        // A folder that no pattern reaches into is not even listed.
        let calls = |patterns: &[GlobMatcher]| {
            let counting = super::super::storage::Failing::new(Disk, u64::MAX, false, std::io::ErrorKind::Other);
            find_files(&counting, &root, patterns).unwrap();
            counting.calls()
        };
        assert_eq!(calls(&[pattern("cdr/ldn/*.csv").unwrap()]), 4, "resolve and list the root, list cdr, list cdr/ldn");
    }
}
