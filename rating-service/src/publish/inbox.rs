//! What comes in: the switches' files, and files of tariffs. A file is written aside and gets its name when it is whole, so
//! a run never reads half of one; what has a name is never changed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rating_core::ids::file_name_fault;
use rating_core::run::inputs::Stream;
use rating_core::run::publish::hex;
use rating_core::run::storage::Disk;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::project::{self, CDR};
use super::refusal::{Refusal, Result};
use crate::store::snapshot;

/// Where files come in.
#[derive(Clone, Debug)]
pub struct Inbox {
    data: PathBuf,
    limits: Limits,
}

/// How large a file may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// As it is stored, in bytes.
    pub stored: u64,
    /// Unpacked, in bytes.
    pub unpacked: u64,
    /// Unpacked, in bytes for each byte as stored: what is packed a thousandfold is no file of calls. Files that are small
    /// when unpacked (64 MiB) may have any ratio.
    pub ratio: u64,
}

/// Unpacked size up to which nobody asks how well a file was packed.
const SMALL: u64 = 64 << 20;

impl Default for Limits {
    /// 1 GiB, and 8 GiB unpacked, and no more than 250 times what is stored.
    fn default() -> Self {
        Self { stored: 1 << 30, unpacked: 8 << 30, ratio: 250 }
    }
}

/// A file of a switch that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchFile {
    /// Where it stands in every project: `cdr/ldn-pbx/m.csv`.
    pub path: String,
    /// Size as stored.
    pub bytes: u64,
    /// Size unpacked.
    pub unpacked: u64,
    /// SHA-256 of the content as stored, hexadecimal.
    pub sha256: String,
    /// It was there already, with this very content: nothing was changed.
    pub already: bool,
}

/// A file that is coming in. It is gone without a trace unless it is kept.
pub struct Incoming {
    inbox: Inbox,
    file: NamedTempFile,
    hash: Sha256,
    bytes: u64,
}

impl Inbox {
    /// The inbox of a data folder.
    #[must_use]
    pub fn new(data: &Path, limits: Limits) -> Self {
        Self { data: data.to_owned(), limits }
    }

    /// Begins to take in a file. May block, as everything here.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn begin(&self) -> Result<Incoming> {
        let aside = self.data.join("tmp");
        let file = fs::create_dir_all(&aside).and_then(|()| NamedTempFile::new_in(&aside));
        let file = file.map_err(|error| Refusal::disk("cannot take in a file", &error))?;
        Ok(Incoming { inbox: self.clone(), file, hash: Sha256::new(), bytes: 0 })
    }

    /// Removes what files that never came to their end left behind, when the service starts.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn clear(&self) -> Result<()> {
        let aside = self.data.join("tmp");
        match fs::remove_dir_all(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Refusal::disk(format!("cannot clear `{}`", aside.display()), &error))
            }
            _ => Ok(()),
        }
    }
}

impl Incoming {
    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// `publish.file_too_large`, or if the disk refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.inbox.limits.stored {
            let detail = format!("the file is larger than {} bytes", self.inbox.limits.stored);
            return Err(Refusal::new("publish.file_too_large", detail).help("send it packed (gzip, zstd) or in parts"));
        }
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(|error| Refusal::disk("cannot take in a file", &error))
    }

    /// How many bytes came in so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keeps it as a file of a switch, under the name that the switch gave it.
    ///
    /// # Errors
    ///
    /// `publish.file_path` for a name that cannot be one, `publish.file_exists` if another content has it,
    /// `publish.file_too_large` and `publish.file_damaged` for what cannot be unpacked; or if the disk refuses.
    pub fn keep_for(self, source: &str, name: &str) -> Result<SwitchFile> {
        for part in [source, name] {
            if let Some(fault) = file_name_fault(part) {
                let detail = format!("`{part}` cannot be the name of a file: it {fault}");
                return Err(Refusal::new("publish.file_path", detail).help("give it another name"));
            }
        }
        let unpacked = self.unpacked()?;
        let (bytes, path) = (self.bytes, format!("{CDR}/{source}/{name}"));
        let to = self.inbox.data.join(&path);
        let (sha256, already) = self.persist(&to, &path)?;
        Ok(SwitchFile { path, bytes, unpacked, sha256, already })
    }

    /// Keeps it as a file of the project, such as `tariffs/retail-gb.toml`, by its content. A snapshot names the row that
    /// comes back; contents that no snapshot names may be removed.
    ///
    /// # Errors
    ///
    /// `publish.file_path` for a path that cannot be one; or if the disk refuses.
    pub fn keep_as(self, path: &str) -> Result<snapshot::File> {
        project::check_path(path)?;
        let sha256 = hex(&self.hash.clone().finalize());
        let stored = self.inbox.data.join("files").join(&sha256);
        self.persist(&stored, path)?;
        Ok(snapshot::File { path: path.to_owned(), stored, sha256 })
    }

    /// Its size unpacked.
    fn unpacked(&self) -> Result<u64> {
        let limits = self.inbox.limits;
        let mut stream = Stream::open(&Disk, self.file.path())?;
        let mut length = 0_u64;
        loop {
            let (bytes, at_end) = stream.head()?;
            let read = bytes.len();
            length += read as u64;
            let most = limits.unpacked.min(self.bytes.saturating_mul(limits.ratio).max(SMALL));
            if length > most {
                let detail = format!("unpacked, the file is larger than {most} bytes");
                return Err(Refusal::new("publish.file_too_large", detail).help("send it in parts"));
            }
            if at_end {
                break;
            }
            stream.skip(read);
        }
        match stream.damage() {
            None => Ok(length),
            Some(damage) => Err(Refusal::new("publish.file_damaged", format!("the file cannot be unpacked: {damage}"))
                .help("fetch it from the switch again")),
        }
    }

    /// Gives it a name that no other content has. Gives its hash, and whether it was there already.
    fn persist(self, to: &Path, shown: &str) -> Result<(String, bool)> {
        let Self { file, hash, .. } = self;
        let sha256 = hex(&hash.finalize());
        let failed = |error: &io::Error| Refusal::disk(format!("cannot keep `{shown}`"), error);
        let folder = to.parent().unwrap_or(to);
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        file.as_file().sync_all().map_err(|error| failed(&error))?;
        // Temporary files are their owner's alone; whoever runs the command should be able to read this one.
        let readable = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(|error| failed(&error))?;
        match file.persist_noclobber(to) {
            Ok(_) => {
                File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(&error))?;
                Ok((sha256, false))
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                let mut there = Sha256::new();
                let read = File::open(to).and_then(|mut file| io::copy(&mut file, &mut there));
                read.map_err(|error| failed(&error))?;
                if hex(&there.finalize()) == sha256 {
                    return Ok((sha256, true));
                }
                Err(Refusal::new("publish.file_exists", format!("there is a `{shown}` already, with another content"))
                    .help("what was rated is never changed: give the file another name"))
            }
            Err(error) => Err(failed(&error.error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(limits: Limits) -> (tempfile::TempDir, Inbox) {
        let data = tempfile::tempdir().unwrap();
        let inbox = Inbox::new(data.path(), limits);
        (data, inbox)
    }

    fn incoming(inbox: &Inbox, content: &[u8]) -> Result<Incoming> {
        let mut incoming = inbox.begin()?;
        content.chunks(1_000).try_for_each(|piece| incoming.write(piece))?;
        Ok(incoming)
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).into_iter().flatten();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_its_content_never_changes() {
        let (data, inbox) = inbox(Limits::default());
        let kept = incoming(&inbox, b"a,b\r\n").unwrap().keep_for("ldn-pbx", "m.csv").unwrap();
        assert_eq!((&*kept.path, kept.bytes, kept.unpacked, kept.already), ("cdr/ldn-pbx/m.csv", 5, 5, false));
        assert_eq!(fs::read(data.path().join(&kept.path)).unwrap(), b"a,b\r\n");
        assert!(incoming(&inbox, b"a,b\r\n").unwrap().keep_for("ldn-pbx", "m.csv").unwrap().already);
        let refusal = incoming(&inbox, b"other").unwrap().keep_for("ldn-pbx", "m.csv").unwrap_err();
        assert_eq!(refusal.code, "publish.file_exists");
        assert_eq!(fs::read(data.path().join(&kept.path)).unwrap(), b"a,b\r\n");
        // One that is not kept is gone.
        drop(incoming(&inbox, b"half of it").unwrap());
        assert_eq!(names(&data.path().join("tmp")), Vec::<String>::new());
        assert_eq!(names(&data.path().join("cdr/ldn-pbx")), ["m.csv"]);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let (data, inbox) = inbox(Limits::default());
        for (source, name) in [("..", "x"), ("ldn", "../x"), ("ldn", ".hidden"), ("ldn", "a/b"), ("", "x"), ("ldn", "")]
        {
            let refusal = incoming(&inbox, b"x").unwrap().keep_for(source, name).unwrap_err();
            assert_eq!(refusal.code, "publish.file_path", "{source}/{name}");
        }
        for path in ["../x", "tariffs/../x", "cdr/ldn/x", "x.toml"] {
            assert_eq!(incoming(&inbox, b"x").unwrap().keep_as(path).unwrap_err().code, "publish.file_path", "{path}");
        }
        assert!(!data.path().join("cdr").exists() && !data.path().join("files").exists());
    }

    /// Zeros, packed with zstd: a frame of blocks of 128 KiB, each of which repeats a byte.
    fn zeros(blocks: u32) -> Vec<u8> {
        let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
        for block in 1..=blocks {
            let last = u32::from(block == blocks);
            let header = last | 1 << 1 | (128 << 10) << 3;
            packed.extend_from_slice(&header.to_le_bytes()[..3]);
            packed.push(0);
        }
        packed
    }

    #[test]
    fn size_is_measured_as_stored_and_unpacked() {
        let (_data, inbox) = inbox(Limits { stored: 10_000, unpacked: 100_000, ratio: 250 });
        assert_eq!(incoming(&inbox, &[b'x'; 10_001]).err().unwrap().code, "publish.file_too_large");
        let bomb = zeros(8);
        let refusal = incoming(&inbox, &bomb).unwrap().keep_for("ldn", "bomb.zst").unwrap_err();
        assert_eq!(refusal.code, "publish.file_too_large", "{refusal}");
        let (_data, roomy) = self::inbox(Limits::default());
        let kept = incoming(&roomy, &bomb).unwrap().keep_for("ldn", "zeros.zst").unwrap();
        assert_eq!((kept.bytes, kept.unpacked), (bomb.len() as u64, 1 << 20));
        // 520 x 128 KiB are 65 MiB, of 520 x 4 bytes: more than 64 MiB, and more than 250 for one.
        let refusal = incoming(&roomy, &zeros(520)).unwrap().keep_for("ldn", "many.zst").unwrap_err();
        assert_eq!(refusal.code, "publish.file_too_large", "{refusal}");
        let cut = incoming(&roomy, &bomb[..20]).unwrap().keep_for("ldn", "cut.zst").unwrap_err();
        assert_eq!(cut.code, "publish.file_damaged");
    }

    #[test]
    fn files_of_tariffs_are_kept_by_their_content() {
        let (data, inbox) = inbox(Limits::default());
        let one = incoming(&inbox, b"id = \"x\"").unwrap().keep_as("tariffs/x.toml").unwrap();
        let other = incoming(&inbox, b"id = \"x\"").unwrap().keep_as("tariffs/y.toml").unwrap();
        assert_eq!((&one.stored, &one.sha256), (&other.stored, &other.sha256));
        assert_eq!(names(&data.path().join("files")), [one.sha256]);
        inbox.clear().unwrap();
        inbox.clear().unwrap();
        assert!(!data.path().join("tmp").exists() && one.stored.exists());
    }
}
