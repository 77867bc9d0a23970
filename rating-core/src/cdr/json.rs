//! A borrowing reader of JSON: walks one object and gives out pieces of its bytes.
//!
//! Nothing is copied and nothing is built: strings stay as they are written, escapes and broken UTF-8 included, and numbers
//! stay text. Every byte is looked at once. Of what RFC 8259 asks for it checks what a reader can trip over: that brackets
//! match, strings close on their line, members have names, and nothing nests deeper than [`MAX_DEPTH`]. A key may occur
//! twice; whoever asks decides which one counts.

use memchr::memchr3;

/// How deep objects and arrays may nest.
pub(super) const MAX_DEPTH: u32 = 64;

/// The bytes are no JSON, or nest too deeply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// The bytes between the quotes, escapes as written.
    Text(&'a [u8]),
    /// A number as written.
    Number(&'a [u8]),
    /// `true` or `false`.
    Truth(bool),
    Null,
    /// The walker stands inside it now: [`Walker::key`] goes on.
    Object,
    /// The walker stands inside it now: [`Walker::item`] goes on.
    Array,
}

impl<'a> Value<'a> {
    /// What a string or number says; nothing for all else.
    pub(super) const fn text(self) -> &'a [u8] {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            _ => b"",
        }
    }
}

/// Walks over the bytes. After an error it must not be asked again.
#[derive(Clone, Copy)]
pub(super) struct Walker<'a> {
    text: &'a [u8],
    at: usize,
    depth: u32,
    /// Whether no member of the innermost object or array has been read yet.
    fresh: bool,
}

impl<'a> Walker<'a> {
    /// Enters the object that is all of `text`.
    ///
    /// # Errors
    ///
    /// If it does not begin with one.
    pub(super) fn object(text: &'a [u8]) -> Result<Self, NotJson> {
        let mut walker = Self { text, at: 0, depth: 0, fresh: false };
        match walker.value()? {
            Value::Object => Ok(walker),
            _ => Err(NotJson),
        }
    }

    /// The next key of the innermost object, or `None` behind its end. Its value must be read or skipped before the next.
    ///
    /// # Errors
    ///
    /// If there is neither a key nor the end.
    pub(super) fn key(&mut self) -> Result<Option<&'a [u8]>, NotJson> {
        if !self.more(b'}')? {
            return Ok(None);
        }
        if self.peek()? != b'"' {
            return Err(NotJson);
        }
        let key = self.string()?;
        if self.peek()? != b':' {
            return Err(NotJson);
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether the innermost array has another item, on which the walker stands then.
    ///
    /// # Errors
    ///
    /// If there is neither an item nor the end.
    pub(super) fn item(&mut self) -> Result<bool, NotJson> {
        self.more(b']')
    }

    /// The value that the walker stands on. Of an object or array it is entered.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(super) fn value(&mut self) -> Result<Value<'a>, NotJson> {
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            b'{' => self.enter().map(|()| Value::Object),
            b'[' => self.enter().map(|()| Value::Array),
            b't' => self.word(b"true").map(|()| Value::Truth(true)),
            b'f' => self.word(b"false").map(|()| Value::Truth(false)),
            b'n' => self.word(b"null").map(|()| Value::Null),
            _ => self.number().map(Value::Number),
        }
    }

    /// A string or number; of anything else nothing, and it is passed over.
    ///
    /// # Errors
    ///
    /// As [`Walker::skip`].
    pub(super) fn text(&mut self) -> Result<&'a [u8], NotJson> {
        let value = self.value()?;
        if matches!(value, Value::Object | Value::Array) {
            self.leave()?;
        }
        Ok(value.text())
    }

    /// Passes over the value that the walker stands on.
    ///
    /// # Errors
    ///
    /// If there is none, or it does not end.
    pub(super) fn skip(&mut self) -> Result<(), NotJson> {
        self.text().map(|_| ())
    }

    /// Enters the object that the walker stands on; anything else is passed over.
    ///
    /// # Errors
    ///
    /// As [`Walker::skip`].
    pub(super) fn enters_object(&mut self) -> Result<bool, NotJson> {
        match self.value()? {
            Value::Object => Ok(true),
            Value::Array => self.leave().map(|()| false),
            _ => Ok(false),
        }
    }

    /// That nothing but blanks follows the object walked over.
    ///
    /// # Errors
    ///
    /// If it is not at its end, or something follows.
    pub(super) fn finish(self) -> Result<(), NotJson> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if self.depth == 0 && rest.iter().all(u8::is_ascii_whitespace) { Ok(()) } else { Err(NotJson) }
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Result<u8, NotJson> {
        while let Some(&byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(NotJson)
    }

    /// Passes over what stands before the next member; `false` behind the `close`.
    fn more(&mut self, close: u8) -> Result<bool, NotJson> {
        let fresh = std::mem::replace(&mut self.fresh, false);
        match self.peek()? {
            byte if byte == close => {
                self.at += 1;
                self.depth = self.depth.checked_sub(1).ok_or(NotJson)?;
                return Ok(false);
            }
            b',' if !fresh => {
                self.at += 1;
                // A comma before the end is forgiven.
                if self.peek()? == close {
                    return self.more(close);
                }
            }
            _ if fresh => {}
            _ => return Err(NotJson),
        }
        Ok(true)
    }

    fn enter(&mut self) -> Result<(), NotJson> {
        if self.depth == MAX_DEPTH {
            return Err(NotJson);
        }
        self.depth += 1;
        self.at += 1;
        self.fresh = true;
        Ok(())
    }

    /// From just inside an object or array to behind its end. Within, only strings and brackets are looked at.
    fn leave(&mut self) -> Result<(), NotJson> {
        // One bit for each open bracket, the innermost lowest: 1 is a brace. MAX_DEPTH is their number.
        let brace = |byte: u8| u64::from(byte == b'{' || byte == b'}');
        let mut open = self.text.get(self.at.wrapping_sub(1)).map_or(0, |byte| brace(*byte));
        let outside = self.depth.checked_sub(1).ok_or(NotJson)?;
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => {
                    if self.depth == MAX_DEPTH {
                        return Err(NotJson);
                    }
                    self.depth += 1;
                    open = open << 1 | brace(byte);
                }
                b'}' | b']' => {
                    if open & 1 != brace(byte) {
                        return Err(NotJson);
                    }
                    open >>= 1;
                    self.depth -= 1;
                    if self.depth == outside {
                        self.at += 1;
                        self.fresh = false;
                        return Ok(());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        Err(NotJson)
    }

    /// The string whose opening quote the walker stands on.
    fn string(&mut self) -> Result<&'a [u8], NotJson> {
        let start = self.at + 1;
        let mut search = start;
        loop {
            let rest = self.text.get(search..).ok_or(NotJson)?;
            let found = search + memchr3(b'"', b'\\', b'\n', rest).ok_or(NotJson)?;
            match self.text.get(found) {
                Some(b'"') => {
                    self.at = found + 1;
                    return self.text.get(start..found).ok_or(NotJson);
                }
                Some(b'\\') => search = found + 2,
                _ => return Err(NotJson),
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), NotJson> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) || rest.get(word.len()).is_some_and(u8::is_ascii_alphanumeric) {
            return Err(NotJson);
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<&'a [u8], NotJson> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let number = rest.get(..length).filter(|text| text.iter().any(u8::is_ascii_digit)).ok_or(NotJson)?;
        self.at += length;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All strings and numbers of an object, with the keys that lead to them.
    fn flat(text: &[u8]) -> Result<Vec<String>, NotJson> {
        fn inside(walker: &mut Walker<'_>, object: bool, path: &str, found: &mut Vec<String>) -> Result<(), NotJson> {
            loop {
                let name = if object {
                    let Some(key) = walker.key()? else { return Ok(()) };
                    String::from_utf8_lossy(key).into_owned()
                } else {
                    if !walker.item()? {
                        return Ok(());
                    }
                    "[]".to_owned()
                };
                let path = format!("{path}/{name}");
                match walker.value()? {
                    Value::Object => inside(walker, true, &path, found)?,
                    Value::Array => inside(walker, false, &path, found)?,
                    value => found.push(format!("{path}={}", String::from_utf8_lossy(value.text()))),
                }
            }
        }
        let mut walker = Walker::object(text)?;
        let mut found = Vec::new();
        inside(&mut walker, true, "", &mut found)?;
        walker.finish()?;
        Ok(found)
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(flat(text.as_bytes()).unwrap(), expected, "{text}");
        // What is passed over ends where what is walked ends.
        let around = format!("{{\"a\":{text},\"b\":1}}");
        let mut walker = Walker::object(around.as_bytes()).unwrap();
        assert_eq!(walker.key(), Ok(Some(&b"a"[..])));
        walker.skip().unwrap();
        assert_eq!(walker.key(), Ok(Some(&b"b"[..])));
        assert_eq!(walker.text(), Ok(&b"1"[..]));
        assert_eq!(walker.key(), Ok(None));
        walker.finish().unwrap();
    }

    #[test]
    fn strings_and_numbers_are_given_as_written() {
        check("{}", &[]);
        check(" { \"a\" : \"x\" , \"b\":-1.5e3,\"c\":null,\"d\":true} ", &["/a=x", "/b=-1.5e3", "/c=", "/d="]);
        check(r#"{"a":"say \"no\"\\","b":"\u00e9"}"#, &[r#"/a=say \"no\"\\"#, r"/b=\u00e9"]);
        check(r#"{"a":[1,[],{"b":"}"}],"c":{}}"#, &["/a/[]=1", "/a/[]/b=}"]);
        check("{\r\n\t\"a\": 1,\r\n}", &["/a=1"]);
    }

    #[test]
    fn a_key_given_twice_is_given_twice() {
        check(r#"{"a":1,"a":2}"#, &["/a=1", "/a=2"]);
    }

    #[test]
    fn broken_utf_8_is_passed_on() {
        let mut walker = Walker::object(b"{\"a\":\"\xFF\xC3\"}").unwrap();
        walker.key().unwrap();
        assert_eq!(walker.text(), Ok(&b"\xFF\xC3"[..]));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            " ",
            "1",
            "[]",
            "\"a\"",
            "{",
            "}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1",
            "{\"a\":1]",
            "{\"a\":[1}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":\"x\ny\"}",
            "{\"a\":\"x}",
            "{\"a\":\"x\\\"}",
            "{\"a\":nul}",
            "{\"a\":trues}",
            "{,\"a\":1}",
            "{\"a\":-}",
            "{} x",
            "{}{}",
        ] {
            assert_eq!(flat(text.as_bytes()), Err(NotJson), "{text}");
        }
        for text in ["{\"a\":{\"b\":[}}", "{\"a\":[{]}"] {
            let mut walker = Walker::object(text.as_bytes()).unwrap();
            walker.key().unwrap();
            assert_eq!(walker.skip(), Err(NotJson), "{text}");
        }
    }

    #[test]
    fn depth_has_a_limit_whether_walked_or_passed_over() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        let limit = MAX_DEPTH as usize;
        for (depth, fits) in [(limit, true), (limit + 1, false), (500_000, false)] {
            let text = nested(depth);
            let mut walker = Walker::object(text.as_bytes()).unwrap();
            walker.key().unwrap();
            assert_eq!(walker.skip().is_ok(), fits, "{depth}");
            if depth < 1_000 {
                assert_eq!(flat(text.as_bytes()).is_ok(), fits, "{depth}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_can_be_walked_can_be_passed_over(
            text in "(\\{|\\}|\\[|\\]|\"|\\\\|,|:|1|a|\"a\":|\"b\"| |\n|null|-){0,40}",
        ) {
            let walked = flat(text.as_bytes());
            let around = format!("{{\"a\":{text}}}");
            if let Ok(mut walker) = Walker::object(around.as_bytes()) {
                walker.key().unwrap();
                let passed = walker.skip().is_ok() && walker.key() == Ok(None) && walker.finish().is_ok();
                prop_assert!(walked.is_err() || passed, "{text}");
            }
        }
    }
}
