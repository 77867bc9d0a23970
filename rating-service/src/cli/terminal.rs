//! What reaches the terminal: never a control character out of a file, and never a panic because nobody reads on.

use std::io::{ErrorKind, Write};

/// Whether a character moves the cursor, changes colours, or turns the direction of writing.
fn acts_on_a_terminal(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line of text from outside (a file's name, a part of a record), made harmless.
pub(super) fn line(text: &str) -> String {
    text.chars().map(|character| if acts_on_a_terminal(character) { '\u{fffd}' } else { character }).collect()
}

/// The content of a file, made harmless without moving a byte: places in it stay where they are.
pub(super) fn content(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let stays = match character {
            '\n' | '\t' => true,
            '\r' => characters.peek() == Some(&'\n'),
            _ => !acts_on_a_terminal(character),
        };
        match (stays, character.len_utf8()) {
            (true, _) => safe.push(character),
            (false, 1) => safe.push('?'),
            (false, 2) => safe.push('\u{b7}'),
            (false, _) => safe.push('\u{fffd}'),
        }
    }
    safe
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
///
/// What the system says, such as a full disk behind a redirection.
pub(super) fn print(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Writes to standard error; if that fails there is nobody left to tell.
pub(super) fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_out_of_a_file_acts_on_the_terminal() {
        assert_eq!(line("a\u{1b}[2Jb\nc\u{9b}d\u{202e}e é"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}e é");
        let text = "x\u{1b}[31m\ty\r\nz\r\u{9b}\u{202e}é\u{7f}\n";
        let safe = content(text);
        assert_eq!(safe, "x?[31m\ty\r\nz?\u{b7}\u{fffd}é?\n");
        assert_eq!(safe.len(), text.len());
    }
}
