//! Exit codes: documented in `docs/operations.md`, frozen by a test.

use std::process::ExitCode;

use rating_core::run::RunError;

/// What the process tells the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// A fault of this program.
    Internal = 1,
    /// The command line asks for something that does not exist.
    Usage = 2,
    /// Tariff, directory or settings are invalid.
    Invalid = 3,
    /// Done, but suspended or rejected are above the limit.
    AboveLimit = 4,
    /// The totals do not balance; nothing was published.
    Unbalanced = 5,
    /// Input is incomplete (a gap in a switch's files that nobody accepted); nothing was published.
    Incomplete = 6,
    /// Another run holds the lock.
    Locked = 7,
    /// Disk or other input and output.
    Storage = 8,
    /// Interrupted by the user (128 + SIGINT, as shells count).
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&RunError> for Exit {
    fn from(error: &RunError) -> Self {
        match error {
            RunError::Invalid(_) => Self::Invalid,
            RunError::Usage(_) => Self::Usage,
            RunError::Unbalanced(_) | RunError::Disagree(_) => Self::Unbalanced,
            RunError::Incomplete(_) => Self::Incomplete,
            RunError::Locked(_) => Self::Locked,
            RunError::Storage(_) => Self::Storage,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_frozen() {
        let codes = [
            Exit::Ok,
            Exit::Internal,
            Exit::Usage,
            Exit::Invalid,
            Exit::AboveLimit,
            Exit::Unbalanced,
            Exit::Incomplete,
            Exit::Locked,
            Exit::Storage,
            Exit::Interrupted,
        ];
        assert_eq!(codes.map(|exit| exit as u8), [0, 1, 2, 3, 4, 5, 6, 7, 8, 130]);
    }
}
