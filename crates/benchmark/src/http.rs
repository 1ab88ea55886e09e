//! As much of HTTP/1.1 as a client needs that asks the same again and again.

use std::{io, str};

/// Asks and leaves the connection open.
pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// Asks for the only time on a connection.
pub const LAST_REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

const SUCCESS: &[u8] = b"HTTP/1.1 200 ";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// Longer heads are no answer to these requests.
const LONGEST_HEAD: usize = 16 << 10;

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The value of Content-Length.
fn content_length(head: &[u8]) -> Option<usize> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        if !line[..colon].eq_ignore_ascii_case(b"content-length") {
            return None;
        }
        str::from_utf8(&line[colon + 1..]).ok()?.trim().parse().ok()
    })
}

/// A response that arrives in pieces.
#[derive(Debug, Default)]
pub struct Response {
    /// The beginning of a head that is not complete.
    head: Vec<u8>,
    /// Bytes of the body that are missing, once the head is complete.
    missing: Option<usize>,
}

impl Response {
    /// Takes the next bytes. Returns whether the response is complete.
    ///
    /// # Errors
    /// `InvalidData` when it is not a success with a Content-Length, or when something follows it.
    pub fn take(&mut self, piece: &[u8]) -> io::Result<bool> {
        let Some(missing) = self.missing else {
            // Mostly all of it arrives at once, and nothing is copied.
            if self.head.is_empty() && self.take_head(piece)? {
                return Ok(self.missing == Some(0));
            }
            let mut head = std::mem::take(&mut self.head);
            head.extend_from_slice(piece);
            if !self.take_head(&head)? {
                self.head = head;
            }
            return Ok(self.missing == Some(0));
        };
        let left = missing
            .checked_sub(piece.len())
            .ok_or_else(|| invalid("more than the response"))?;
        self.missing = Some(left);
        Ok(left == 0)
    }

    /// Returns whether the head is complete; then what follows it was taken as well.
    fn take_head(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let Some(end) = bytes
            .windows(END_OF_HEAD.len())
            .position(|four| four == END_OF_HEAD)
        else {
            return if bytes.len() > LONGEST_HEAD {
                Err(invalid("a head without an end"))
            } else {
                Ok(false)
            };
        };
        let head = &bytes[..end];
        if !head.starts_with(SUCCESS) {
            return Err(invalid("not a success"));
        }
        self.missing = Some(content_length(head).ok_or_else(|| invalid("no Content-Length"))?);
        self.take(&bytes[end + END_OF_HEAD.len()..])?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: now\r\ncontent-LENGTH:  5 \r\n\r\nhello";

    #[test]
    fn an_answer_may_be_cut_anywhere() -> io::Result<()> {
        assert!(Response::default().take(ANSWER)?);
        for first in 1..ANSWER.len() {
            for second in first..ANSWER.len() {
                let mut response = Response::default();
                assert!(!response.take(&ANSWER[..first])?);
                assert!(!response.take(&ANSWER[first..second])?);
                assert!(response.take(&ANSWER[second..])?, "{first}, {second}");
            }
        }
        Ok(())
    }

    #[test]
    fn an_answer_may_be_empty() -> io::Result<()> {
        assert!(Response::default().take(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?);
        Ok(())
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for wrong in [
            &b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX-Content-Length: 5\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello!",
            &vec![b'x'; LONGEST_HEAD + 1],
        ] {
            let outcome = Response::default().take(wrong);
            let kind = outcome.expect_err("it is wrong").kind();
            assert_eq!(kind, io::ErrorKind::InvalidData);
        }
    }
}
