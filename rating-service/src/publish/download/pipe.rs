//! From a thread that writes to a reader that waits: a bounded channel, so that nothing is made faster than it is read.

use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// What is smaller is made as a whole, so that its length is known and an error is told before anything is sent.
const WHOLE: usize = 256 << 10;
/// Bytes in one piece.
const PIECE: usize = 64 << 10;
/// Pieces that wait to be read.
const WAITING: usize = 8;
/// How often a writer looks whether there is room again: eight pieces in this time are more than any network takes.
const STEP: Duration = Duration::from_millis(2);
/// How often it looks before it gives up: a reader may read nothing for a minute.
const PATIENCE: u32 = 30_000;

/// How a download begins.
pub(super) enum Start {
    /// All of it.
    Whole(Bytes),
    /// It comes piece by piece.
    Stream(mpsc::Receiver<io::Result<Bytes>>),
    /// It failed before anything was sent.
    Failed(io::Error),
}

/// Where a download is written to.
pub(super) struct Pipe {
    buffer: Vec<u8>,
    state: State,
}

enum State {
    Beginning(Option<oneshot::Sender<Start>>),
    Streaming(mpsc::Sender<io::Result<Bytes>>),
}

/// Starts to write on a thread of its own, and gives how it begins; `None` if the writer died.
pub(super) async fn run(write: impl FnOnce(&mut Pipe) -> io::Result<()> + Send + 'static) -> Option<Start> {
    let (start, started) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let mut pipe = Pipe { buffer: Vec::new(), state: State::Beginning(Some(start)) };
        let done = write(&mut pipe);
        pipe.end(done);
    });
    started.await.ok()
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the reader has gone")
}

/// Sends an item when there is room for it. The thread waits by itself: the runtime may be at its end.
fn wait_for_room(sender: &mpsc::Sender<io::Result<Bytes>>, item: io::Result<Bytes>) -> io::Result<()> {
    let mut item = item;
    for _ in 0..PATIENCE {
        match sender.try_send(item) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(gone()),
            Err(mpsc::error::TrySendError::Full(back)) => item = back,
        }
        std::thread::sleep(STEP);
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the reader reads nothing"))
}

impl Pipe {
    /// Sends what is buffered.
    fn send(&mut self) -> io::Result<()> {
        let piece = Bytes::from(std::mem::take(&mut self.buffer));
        if let State::Beginning(start) = &mut self.state {
            let (sender, receiver) = mpsc::channel(WAITING);
            let start = start.take().ok_or_else(gone)?;
            start.send(Start::Stream(receiver)).map_err(|_| gone())?;
            self.state = State::Streaming(sender);
        }
        let State::Streaming(sender) = &self.state else { return Err(gone()) };
        wait_for_room(sender, Ok(piece))
    }

    fn end(mut self, done: io::Result<()>) {
        if let (Ok(()), State::Streaming(_)) = (&done, &self.state) {
            // Whether the last piece arrives, the reader knows.
            let _ = if self.buffer.is_empty() { Ok(()) } else { self.send() };
            return;
        }
        match (&mut self.state, done) {
            (State::Beginning(start), done) => {
                let buffer = std::mem::take(&mut self.buffer);
                let how = done.map_or_else(Start::Failed, |()| Start::Whole(Bytes::from(buffer)));
                // Whoever waited for it may have gone.
                let _ = start.take().map(|start| start.send(how));
            }
            (State::Streaming(sender), Err(error)) => {
                // So that what was sent is not taken for all of it.
                let _ = wait_for_room(sender, Err(error));
            }
            (State::Streaming(_), Ok(())) => {}
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        let most = match self.state {
            State::Beginning(_) => WHOLE,
            State::Streaming(_) => PIECE,
        };
        if self.buffer.len() >= most {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    async fn all(start: Option<Start>) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut found = Vec::new();
        match start.unwrap() {
            Start::Whole(bytes) => found.extend_from_slice(&bytes),
            Start::Failed(error) => return (found, Some(error.kind())),
            Start::Stream(mut receiver) => {
                while let Some(piece) = receiver.recv().await {
                    match piece {
                        Ok(piece) => found.extend_from_slice(&piece),
                        Err(error) => return (found, Some(error.kind())),
                    }
                }
            }
        }
        (found, None)
    }

    #[test]
    fn every_byte_arrives_in_order_however_long_it_is() {
        for length in [0, 1, WHOLE - 1, WHOLE, WHOLE + 1, WHOLE + PIECE, 5 << 20] {
            let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let sent = content.clone();
            let found = runtime().block_on(async {
                let start = run(move |pipe| sent.chunks(1_000).try_for_each(|piece| pipe.write_all(piece))).await;
                assert_eq!(matches!(start, Some(Start::Whole(_))), length < WHOLE, "{length}");
                all(start).await
            });
            assert!(found == (content, None), "{length}");
        }
    }

    #[test]
    fn an_error_is_told_before_or_after_what_was_sent() {
        for length in [10, WHOLE + 10 * PIECE] {
            let (found, error) = runtime().block_on(async {
                let start = run(move |pipe| {
                    pipe.write_all(&vec![7; length])?;
                    Err(io::Error::from(io::ErrorKind::InvalidData))
                });
                all(start.await).await
            });
            assert_eq!(error, Some(io::ErrorKind::InvalidData), "{length}");
            assert!(found.len() <= length);
        }
    }

    #[test]
    fn a_writer_stops_when_its_reader_has_gone() {
        let (told, asked) = std::sync::mpsc::channel();
        runtime().block_on(async {
            let start = run(move |pipe| {
                let stopped = std::iter::repeat_n([7_u8; 1_000], 100_000).try_for_each(|piece| pipe.write_all(&piece));
                told.send(stopped.as_ref().err().map(io::Error::kind)).unwrap();
                stopped
            });
            drop(start.await);
        });
        assert_eq!(asked.recv().unwrap(), Some(io::ErrorKind::BrokenPipe));
    }
}
