//! Bodies of downloads, whole or in part (RFC 9110, section 14: one range of bytes).

use std::io::{Read, Seek, SeekFrom};

use axum::body::{Body as RawBody, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::{Problem, Result};
use crate::publish::download::Body;

/// How much is read at once.
const PIECE: usize = 256 << 10;

/// The part of a content of `length` bytes that a header asks for: first byte and length. `None` is all of it; `Err` if there
/// is no such part.
fn part(asked: &str, length: u64) -> std::result::Result<Option<(u64, u64)>, ()> {
    let Some(range) = asked.strip_prefix("bytes=") else { return Ok(None) };
    // Several ranges at once are answered with all of it, which the protocol allows.
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else { return Ok(None) };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (first.trim(), last.trim()) {
        ("", "") => Ok(None),
        ("", suffix) => match number(suffix) {
            Some(0) => Err(()),
            Some(suffix) if length > 0 => {
                let count = suffix.min(length);
                Ok(Some((length - count, count)))
            }
            Some(_) => Err(()),
            None => Ok(None),
        },
        (first, last) => {
            let Some(first) = number(first) else { return Ok(None) };
            let last = match (last, number(last)) {
                ("", _) => u64::MAX,
                (_, Some(last)) => last,
                (_, None) => return Ok(None),
            };
            if last < first {
                return Ok(None);
            }
            if first >= length { Err(()) } else { Ok(Some((first, last.min(length - 1) - first + 1))) }
        }
    }
}

/// Answers with a body, or the part of it that is asked for. `If-Range` must name its tag for a part to be sent.
pub(super) async fn respond(mut headers: HeaderMap, body: Body, asked: &HeaderMap) -> Result<Response> {
    let text = |name: header::HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    let wants_part = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let range = text(header::RANGE).filter(|_| wants_part).map(str::to_owned);
    let length = body.length();
    let part = match (&range, length) {
        (Some(range), Some(length)) => part(range, length).map_err(|()| length),
        _ => Ok(None),
    };
    if length.is_some() {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    let part = match part {
        Ok(part) => part,
        Err(length) => {
            let mut response = Problem::new("request.range", format!("there are {length} bytes")).into_response();
            let value = HeaderValue::from_str(&format!("bytes */{length}")).map_err(Problem::internal)?;
            response.headers_mut().insert(header::CONTENT_RANGE, value);
            return Ok(response);
        }
    };
    let status = if part.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    if let (Some((first, count)), Some(length)) = (part, length) {
        let value = format!("bytes {first}-{}/{length}", first + count - 1);
        headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&value).map_err(Problem::internal)?);
    }
    let content = match body {
        Body::Whole(bytes) => RawBody::from(match part {
            Some((first, count)) => {
                let (first, end) = (usize::try_from(first), usize::try_from(first + count));
                first.ok().zip(end.ok()).map_or_else(Bytes::new, |(first, end)| bytes.slice(first..end))
            }
            None => bytes,
        }),
        Body::File { mut file, length } => {
            let (first, count) = part.unwrap_or((0, length));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(count));
            let (sender, receiver) = tokio::sync::mpsc::channel(4);
            tokio::task::spawn_blocking(move || {
                let mut left = count;
                if let Err(error) = file.seek(SeekFrom::Start(first)) {
                    let _ = sender.blocking_send(Err(error));
                    return;
                }
                while left > 0 {
                    let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
                    let read = file.read_exact(&mut piece).map(|()| Bytes::from(piece));
                    left = left.saturating_sub(PIECE as u64);
                    let failed = read.is_err();
                    if sender.blocking_send(read).is_err() || failed {
                        return;
                    }
                }
            });
            streamed(receiver)
        }
        Body::Stream(receiver) => streamed(receiver),
    };
    Ok((status, headers, content).into_response())
}

fn streamed(mut receiver: tokio::sync::mpsc::Receiver<std::io::Result<Bytes>>) -> RawBody {
    RawBody::from_stream(futures_util::stream::poll_fn(move |context| receiver.poll_recv(context)))
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn ranges_are_read_as_the_protocol_says() {
        for (asked, expected) in [
            ("bytes=0-4", Ok(Some((0, 5)))),
            ("bytes=5-", Ok(Some((5, 5)))),
            ("bytes=5-100", Ok(Some((5, 5)))),
            ("bytes=-3", Ok(Some((7, 3)))),
            ("bytes=-30", Ok(Some((0, 10)))),
            ("bytes=10-", Err(())),
            ("bytes=-0", Err(())),
            ("bytes=4-2", Ok(None)),
            ("bytes=0-1,3-4", Ok(None)),
            ("lines=0-4", Ok(None)),
            ("bytes=x-", Ok(None)),
        ] {
            assert_eq!(part(asked, 10), expected, "{asked}");
        }
        assert_eq!(part("bytes=0-", 0), Err(()), "nothing has no part");
    }
}
