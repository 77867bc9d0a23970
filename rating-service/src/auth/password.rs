//! Passwords: kept as Argon2id, never logged, never mailed.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::error::{Problem, Result};

/// Shortest password, in characters (NIST SP 800-63B-4 asks for 15 where it is the only factor, and 8 at least).
pub const SHORTEST: usize = 12;
/// Longest password, in bytes: so that hashing one costs a bounded time.
pub const LONGEST: usize = 256;

/// A hash of the right cost that no password has: checked where there is no user, so that the time to answer does not
/// tell who has one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$VKaCZx3yZlIf3Ls8lA0TvCNJTyUpVE2rZtD7cPdVp5k";

/// Hashes that are made at once: each takes 19 MiB.
static TURNS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(4);

/// Waits for a turn, not for long.
async fn turn() -> Result<tokio::sync::SemaphorePermit<'static>> {
    let turn = tokio::time::timeout(std::time::Duration::from_secs(5), TURNS.acquire()).await;
    let busy = || Problem::new("request.too_many", "too many people sign in at once").retry_after(5);
    turn.map_err(|_| busy())?.map_err(Problem::internal)
}

/// That a password is fit to be one.
///
/// # Errors
///
/// `auth.password_weak`, with what is the matter.
pub fn check(password: &str, email: &str) -> Result<()> {
    let weak =
        |what: String| Err(Problem::new("auth.password_weak", what).help("four words that do not go together do well"));
    let length = password.chars().count();
    if length < SHORTEST {
        return weak(format!("it has {length} characters; at least {SHORTEST} are needed"));
    }
    if password.len() > LONGEST {
        return weak(format!("it has {} bytes; at most {LONGEST} are kept", password.len()));
    }
    let distinct: std::collections::BTreeSet<char> = password.to_lowercase().chars().collect();
    if distinct.len() < 5 {
        return weak("it repeats few characters".to_owned());
    }
    let local = email.split('@').next().unwrap_or_default().to_lowercase();
    if local.len() >= 4 && password.to_lowercase().contains(&local) {
        return weak("it contains the e-mail address".to_owned());
    }
    Ok(())
}

/// The hash of a password, with a salt of its own. Takes tens of milliseconds on a thread that may block.
///
/// # Errors
///
/// The hash cannot be made, or too many are asked for at once.
pub async fn hash(password: String) -> Result<String> {
    let _turn = turn().await?;
    tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
    })
    .await
    .map_err(Problem::internal)?
    .map_err(Problem::internal)
}

/// Whether a password has this hash. Takes as long where there is no hash.
///
/// # Errors
///
/// The thread dies, or too many are asked for at once.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    let _turn = turn().await?;
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let right = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        known && right
    })
    .await
    .map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nobody_costs_as_much_as_a_real_one() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(hash.params.to_string(), "m=19456,t=2,p=1");
    }

    #[test]
    fn weak_passwords_are_named_for_what_they_are() {
        for (password, what) in
            [("short", "characters"), ("aaaaaaaaaaaaaaaa", "repeats"), ("mary.smith-2026!", "e-mail")]
        {
            let problem = check(password, "mary.smith@example.com").unwrap_err();
            assert!(problem.detail().contains(what), "{password}: {problem}");
        }
        check("correct horse battery", "mary.smith@example.com").unwrap();
    }
}
