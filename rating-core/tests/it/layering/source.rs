//! Rust source text to the paths it names: enough of the language to follow `use` trees, `crate::`, `super::` and
//! `self::`, and to leave out comments, strings and test code.

use std::collections::BTreeMap;

/// What is named where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Line in the file, from 1.
    pub(crate) line: usize,
    /// What it is.
    pub(crate) what: What,
}

/// What can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Something of the crate itself, from the crate's root: `["money", "Charge"]`. Empty: the root as a whole.
    Inside(Vec<String>),
    /// Something of another crate: `["std", "fs", "File"]`.
    Outside(Vec<String>),
    /// Something of another crate by a `use` that brings a whole module into scope: `use std::time`, `use std::io::*`.
    OutsideModule(Vec<String>),
    /// A macro called by its bare name: `println`.
    Macro(String),
    /// A floating-point type or literal, as written.
    Float(String),
}

/// All that one file names.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// What its product code names.
    pub(crate) named: Vec<Named>,
    /// What its `#[cfg(test)]` items name.
    pub(crate) named_in_tests: Vec<Named>,
    /// Modules declared `#[cfg(test)] mod name;`: their files are test code.
    pub(crate) test_modules: Vec<String>,
}

/// Reads the file that holds the module at `module` (`["cdr", "asterisk"]`).
pub(crate) fn read(module: &[String], text: &str) -> Source {
    let tokens = tokens(text);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        module: module.to_vec(),
        bound: modules_declared(&tokens),
        source: Source::default(),
    };
    reader.items(false);
    reader.source
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Word(String),
    /// `::`
    Path,
    Mark(char),
    Float(String),
    /// Any other literal, and lifetimes.
    Other,
}

#[derive(Clone, Debug)]
struct Token {
    line: usize,
    kind: Kind,
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let peek = |at: usize| chars.get(at).copied().unwrap_or('\0');
    let word_start = |c: char| c.is_alphabetic() || c == '_';
    let word_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found: Vec<Token> = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let start = at;
        let c = peek(at);
        let kind = if c.is_whitespace() {
            at += 1;
            None
        } else if c == '/' && peek(at + 1) == '/' {
            while at < chars.len() && peek(at) != '\n' {
                at += 1;
            }
            None
        } else if c == '/' && peek(at + 1) == '*' {
            at = after_block_comment(&chars, at);
            None
        } else if let Some(end) = after_string(&chars, at) {
            at = end;
            Some(Kind::Other)
        } else if c == '\'' {
            at = after_quote(&chars, at);
            Some(Kind::Other)
        } else if c.is_ascii_digit() {
            // `pair.0.1` is two fields, not a number with a point.
            let field = matches!(found.last(), Some(Token { kind: Kind::Mark('.'), .. }));
            at += 1;
            while word_part(peek(at))
                || (!field && peek(at) == '.' && peek(at + 1) != '.' && !word_start(peek(at + 1)))
                || (matches!(peek(at), '+' | '-') && matches!(peek(at - 1), 'e' | 'E') && peek(start + 1) != 'x')
            {
                at += 1;
            }
            let number: String = chars[start..at].iter().collect();
            Some(if is_float(&number) { Kind::Float(number) } else { Kind::Other })
        } else if word_start(c) {
            if c == 'r' && peek(at + 1) == '#' {
                at += 2;
            }
            let name = at;
            while word_part(peek(at)) {
                at += 1;
            }
            Some(Kind::Word(chars[name..at].iter().collect()))
        } else if c == ':' && peek(at + 1) == ':' {
            at += 2;
            Some(Kind::Path)
        } else {
            at += 1;
            Some(Kind::Mark(c))
        };
        found.extend(kind.map(|kind| Token { line, kind }));
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
    }
    found
}

fn is_float(number: &str) -> bool {
    let based = number.starts_with("0x") || number.starts_with("0b") || number.starts_with("0o");
    let suffixed = |suffix: &str| number.strip_suffix(suffix).is_some();
    // `1usize` holds an `e` too: an exponent stands after a digit or underscore and before a digit or sign.
    let exponent = number.split_once(['e', 'E']).is_some_and(|(before, after)| {
        before.ends_with(|c: char| c.is_ascii_digit() || c == '_')
            && after.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-')
    });
    !based && (number.contains('.') || suffixed("f32") || suffixed("f64") || exponent)
}

fn after_block_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    break;
                }
            }
            _ => at += 1,
        }
    }
    at.min(chars.len())
}

/// Where the string literal that starts here ends: plain, byte, C and raw ones.
fn after_string(chars: &[char], start: usize) -> Option<usize> {
    let mut at = start;
    let before = start.checked_sub(1).and_then(|before| chars.get(before));
    if before.is_some_and(|c| c.is_alphanumeric() || *c == '_') {
        return None;
    }
    if matches!(chars.get(at), Some('b' | 'c')) {
        at += 1;
    }
    let raw = chars.get(at) == Some(&'r');
    if raw {
        at += 1;
    }
    let hashes = if raw { chars[at..].iter().take_while(|c| **c == '#').count() } else { 0 };
    at += hashes;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    at += 1;
    while at < chars.len() {
        match chars[at] {
            '\\' if !raw => at += 2,
            '"' if chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes => {
                return Some(at + 1 + hashes);
            }
            _ => at += 1,
        }
    }
    Some(chars.len())
}

/// Where the character literal or lifetime that starts here ends.
fn after_quote(chars: &[char], start: usize) -> usize {
    if chars.get(start + 1) == Some(&'\\') {
        let close = chars[(start + 3).min(chars.len())..].iter().position(|c| *c == '\'');
        return close.map_or(chars.len(), |close| start + 3 + close + 1);
    }
    if chars.get(start + 2) == Some(&'\'') {
        return start + 3;
    }
    let name = chars[start + 1..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
    start + 1 + name
}

/// Names that the file declares as modules of its own: a path that starts with one is no path into another crate.
fn modules_declared(tokens: &[Token]) -> BTreeMap<String, Vec<String>> {
    let declared = tokens.windows(2).filter_map(|pair| match (&pair[0].kind, &pair[1].kind) {
        (Kind::Word(keyword), Kind::Word(name)) if keyword == "mod" => Some((name.clone(), Vec::new())),
        _ => None,
    });
    declared.collect()
}

/// One leaf of a `use` tree: its segments, the name it is known by, and whether it ends in `*`.
struct Leaf {
    line: usize,
    segments: Vec<String>,
    name: Option<String>,
    glob: bool,
}

/// First segments of a path into the crate itself.
const OURS: [&str; 4] = ["crate", "rating_core", "self", "super"];

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    module: Vec<String>,
    /// Names in scope by a `mod` or `use`, and what they stand for in another crate (empty: nothing there).
    bound: BTreeMap<String, Vec<String>>,
    source: Source,
}

impl Reader<'_> {
    fn kind(&self, at: usize) -> Option<&Kind> {
        self.tokens.get(at).map(|token| &token.kind)
    }

    fn word(&self, at: usize) -> Option<&str> {
        match self.kind(at) {
            Some(Kind::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn mark(&self, at: usize, mark: char) -> bool {
        self.kind(at) == Some(&Kind::Mark(mark))
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |token| token.line)
    }

    fn add(&mut self, line: usize, test: bool, what: What) {
        let list = if test { &mut self.source.named_in_tests } else { &mut self.source.named };
        list.push(Named { line, what });
    }

    /// Reads to the end of the file or of the block it was called in.
    fn items(&mut self, mut test: bool) {
        while self.at < self.tokens.len() && !self.mark(self.at, '}') {
            if self.mark(self.at, '#') {
                let inner = self.mark(self.at + 1, '!');
                let only_test = self.attribute(test);
                if only_test && inner {
                    test = true;
                } else if only_test {
                    self.test_item();
                }
            } else {
                self.element(test);
            }
        }
    }

    fn element(&mut self, test: bool) {
        if self.mark(self.at, '{') || self.word(self.at) == Some("mod") {
            self.block_or_module(test);
        } else {
            self.step(test);
        }
    }

    /// Reads the one item, statement, field or arm that a `#[cfg(test)]` stands before.
    fn test_item(&mut self) {
        const ITEMS: [&str; 13] =
            ["pub", "fn", "mod", "use", "impl", "struct", "enum", "const", "static", "trait", "type", "let", "extern"];
        while self.mark(self.at, '#') {
            self.attribute(true);
        }
        let item = self.word(self.at).is_some_and(|word| ITEMS.contains(&word));
        let mut depth = 0_i32;
        while self.at < self.tokens.len() {
            match self.kind(self.at) {
                Some(Kind::Mark('}')) => return,
                Some(Kind::Mark(';')) if depth == 0 => return self.at += 1,
                Some(Kind::Mark(',')) if depth == 0 && !item => return self.at += 1,
                Some(Kind::Mark('(' | '[')) => depth += 1,
                Some(Kind::Mark(')' | ']')) => depth -= 1,
                _ => {}
            }
            let whole = self.word(self.at) == Some("use") || self.mark(self.at, '{');
            self.element(true);
            if depth == 0 && (whole || self.mark(self.at - 1, '}')) {
                return;
            }
        }
    }

    fn block_or_module(&mut self, test: bool) {
        let mut name = None;
        if self.word(self.at) == Some("mod") {
            name = self.word(self.at + 1).map(str::to_owned);
            self.at += 2;
            if !self.mark(self.at, '{') {
                if test && self.mark(self.at, ';') {
                    self.source.test_modules.extend(name);
                }
                return;
            }
        }
        self.at += 1;
        let inline = name.is_some();
        self.module.extend(name);
        self.items(test);
        if inline {
            self.module.pop();
        }
        self.at += 1;
    }

    /// Reads `#[...]`; whether it is a `cfg` that only holds under test. Paths inside count as named.
    fn attribute(&mut self, test: bool) -> bool {
        self.at += 1;
        if self.mark(self.at, '!') {
            self.at += 1;
        }
        let is_cfg = self.word(self.at + 1) == Some("cfg");
        let bare_test = self.word(self.at + 1) == Some("test") && self.mark(self.at + 2, ']');
        let (mut depth, mut only_test, mut open) = (0, bare_test, Vec::new());
        while self.at < self.tokens.len() {
            let (enters, leaves) = (
                self.mark(self.at, '[') || self.mark(self.at, '('),
                self.mark(self.at, ']') || self.mark(self.at, ')'),
            );
            if enters {
                depth += 1;
                open.push(self.word(self.at - 1).unwrap_or_default().to_owned());
            } else if leaves {
                depth -= 1;
                open.pop();
            }
            let word = self.word(self.at).unwrap_or_default();
            only_test |= is_cfg && word == "test" && open.iter().all(|word| matches!(&**word, "" | "cfg" | "all"));
            self.step(test);
            if depth == 0 {
                break;
            }
        }
        only_test
    }

    /// Reads one token, or the path or `use` that starts with it.
    fn step(&mut self, test: bool) {
        let line = self.line();
        match self.kind(self.at) {
            Some(Kind::Float(text)) => {
                let text = text.clone();
                self.add(line, test, What::Float(text));
                self.at += 1;
            }
            Some(Kind::Word(word)) => match &**word {
                "use" => self.use_item(test),
                "extern" if self.word(self.at + 1) == Some("crate") => {
                    let name = self.word(self.at + 2).map(str::to_owned);
                    self.add(line, test, What::OutsideModule(name.into_iter().collect()));
                    self.at += 3;
                }
                "f32" | "f64" => {
                    let text = word.clone();
                    self.add(line, test, What::Float(text));
                    self.at += 1;
                }
                _ => self.path(test),
            },
            _ => self.at += 1,
        }
    }

    fn path(&mut self, test: bool) {
        let line = self.line();
        let mut segments: Vec<String> = self.word(self.at).map(str::to_owned).into_iter().collect();
        let continues = self.at.checked_sub(1).is_some_and(|before| match self.kind(before) {
            Some(Kind::Path) => before > 0 && matches!(self.kind(before - 1), Some(Kind::Word(_) | Kind::Mark('>'))),
            Some(Kind::Mark('.')) => !self.at.checked_sub(2).is_some_and(|before| self.mark(before, '.')),
            _ => false,
        });
        self.at += 1;
        while self.kind(self.at) == Some(&Kind::Path) {
            let Some(word) = self.word(self.at + 1) else { break };
            segments.push(word.to_owned());
            self.at += 2;
        }
        if self.mark(self.at, '!') && !self.mark(self.at + 1, '=') {
            self.add(line, test, What::Macro(segments.last().cloned().unwrap_or_default()));
        }
        if let Some(float) = segments.iter().find(|segment| matches!(&***segment, "f32" | "f64")).cloned() {
            self.add(line, test, What::Float(float));
        }
        if !continues && segments.len() > 1 {
            self.judge(line, test, segments, false);
        }
    }

    fn use_item(&mut self, test: bool) {
        self.at += 1;
        // `use<'a>` in a bound captures lifetimes and imports nothing.
        if self.mark(self.at, '<') {
            return;
        }
        let mut leaves = Vec::new();
        self.use_tree(&mut Vec::new(), &mut leaves);
        if self.mark(self.at, ';') {
            self.at += 1;
        }
        for leaf in leaves {
            let ours = leaf.segments.first().is_some_and(|first| OURS.contains(&&**first));
            let stands_for = if ours { Vec::new() } else { leaf.segments.clone() };
            self.judge(leaf.line, test, leaf.segments, true);
            if !test && !leaf.glob {
                self.bound.extend(leaf.name.map(|name| (name, stands_for)));
            }
        }
    }

    fn use_tree(&mut self, prefix: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
        let depth = prefix.len();
        let line = self.line();
        loop {
            match self.kind(self.at) {
                Some(Kind::Path) => self.at += 1,
                Some(Kind::Word(word)) if word != "as" => {
                    // `use x::{self}` names `x`; `use self::x` starts a path.
                    if word != "self" || prefix.is_empty() {
                        prefix.push(word.clone());
                    }
                    self.at += 1;
                }
                Some(Kind::Mark('{')) => {
                    self.at += 1;
                    while self.at < self.tokens.len() && !self.mark(self.at, '}') {
                        self.use_tree(prefix, leaves);
                        if self.mark(self.at, ',') {
                            self.at += 1;
                        } else if !self.mark(self.at, '}') {
                            break;
                        }
                    }
                    self.at += 1;
                    break;
                }
                Some(Kind::Mark('*')) => {
                    self.at += 1;
                    leaves.push(Leaf { line, segments: prefix.clone(), name: None, glob: true });
                    break;
                }
                _ => {
                    let mut name = prefix.last().cloned();
                    if self.word(self.at) == Some("as") {
                        name = self.word(self.at + 1).map(str::to_owned);
                        self.at += 2;
                    }
                    leaves.push(Leaf { line, segments: prefix.clone(), name, glob: false });
                    break;
                }
            }
        }
        prefix.truncate(depth);
    }

    /// Says whose the path is and keeps it.
    fn judge(&mut self, line: usize, test: bool, segments: Vec<String>, by_use: bool) {
        let Some(first) = segments.first() else { return };
        let mut base = match &**first {
            "crate" | "rating_core" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len().saturating_sub(1)].to_vec(),
            "Self" => return,
            name if self.bound.contains_key(name) => {
                let outside = self.bound.get(name).filter(|outside| !outside.is_empty() && !by_use);
                let Some(outside) = outside else { return };
                let path = [outside, &segments[1..]].concat();
                return self.add(line, test, What::Outside(path));
            }
            _ if by_use => return self.add(line, test, What::OutsideModule(segments)),
            _ => return self.add(line, test, What::Outside(segments)),
        };
        let supers = segments.iter().skip(1).take_while(|segment| *segment == "super").count();
        base.truncate(base.len().saturating_sub(supers));
        base.extend(segments.into_iter().skip(1 + supers));
        self.add(line, test, What::Inside(base));
    }
}
