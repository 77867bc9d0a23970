//! How the service is started: its data folder, where it listens, how it sends mail, and its limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::publish::inbox;

/// What `rating serve` was told.
#[derive(Debug, Clone)]
pub struct Config {
    /// The one folder of everything the service keeps.
    pub data: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// How the outside reaches it, `https://calls.example.com`: in links and mails, without a slash at its end. `None`
    /// is `http://` and the address it listens on.
    pub public_url: Option<String>,
    /// Whether all requests come through a proxy of the operator's own, which says in `X-Forwarded-For` who asked it.
    pub is_behind_proxy: bool,
    /// How mails leave.
    pub mail: Mail,
    /// Bounds on what one request may take.
    pub limits: Limits,
}

/// How mails leave the service.
#[derive(Debug, Clone)]
pub enum Mail {
    /// Each mail is a file in `mail/` of the data folder: for trials and tests.
    Files,
    /// Through a server, `smtp://user:password@host:587?tls=required`, from that address.
    Smtp {
        /// The server.
        url: String,
        /// The sender.
        from: String,
    },
}

/// Bounds on what one request may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body, uploads apart.
    pub body: usize,
    /// Bytes of an uploaded file, as it is sent.
    pub upload: u64,
    /// Bytes of an uploaded file, unpacked.
    pub unpacked: u64,
    /// Bytes of an uploaded file, unpacked, for each byte as it is sent, if it is a large one.
    pub unpacked_ratio: u64,
    /// Connections that are open at once; more wait in the queue of the system. Most systems let a process open 1,024 files.
    pub connections: usize,
    /// How long a connection may take to send the head of its next request; also how long it may do nothing.
    pub head: Duration,
    /// Time to answer, uploads, downloads and event streams apart.
    pub answer: Duration,
    /// Requests a minute by one user or token.
    pub requests_a_minute: u32,
    /// Failed sign-ins for one e-mail address from one network in a quarter of an hour; from all networks, ten times as many.
    pub failed_sign_ins: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            upload: 4 << 30,
            unpacked: 32 << 30,
            unpacked_ratio: 250,
            connections: 512,
            head: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            requests_a_minute: 1200,
            failed_sign_ins: 10,
        }
    }
}

impl Limits {
    /// How large a file may be that comes in.
    #[must_use]
    pub const fn files(&self) -> inbox::Limits {
        inbox::Limits { stored: self.upload, unpacked: self.unpacked, ratio: self.unpacked_ratio }
    }
}

impl Config {
    /// A service on this machine alone, with its data in `data`.
    #[must_use]
    pub fn local(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: None,
            is_behind_proxy: false,
            mail: Mail::Files,
            limits: Limits::default(),
        }
    }

    /// How the outside reaches it, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        self.public_url
            .as_ref()
            .map_or_else(|| format!("http://{}", self.listen), |url| url.trim_end_matches('/').to_owned())
    }
}
