//! Mails: to files, for trials and tests, or through an SMTP server. No mail holds a password; links in them are good once.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::config::{Config, Mail};
use crate::error::{Problem, Result};

/// Sends mails.
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

enum Way {
    Files(AsyncFileTransport<Tokio1Executor>),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

/// A mail of plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Who gets it.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
}

impl Mailer {
    /// The way that the settings name.
    ///
    /// # Errors
    ///
    /// The server's address or the sender's cannot be understood, or the folder of mails cannot be made.
    pub fn new(config: &Config) -> Result<Self> {
        let (from, way) = match &config.mail {
            Mail::Files => {
                let folder = config.data.join("mail");
                std::fs::create_dir_all(&folder).map_err(Problem::internal)?;
                ("rating@localhost", Way::Files(AsyncFileTransport::new(folder)))
            }
            Mail::Smtp { url, from } => {
                let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(Problem::internal)?;
                (from.as_str(), Way::Smtp(transport.timeout(Some(std::time::Duration::from_secs(20))).build()))
            }
        };
        Ok(Self { from: from.parse().map_err(Problem::internal)?, way })
    }

    /// Sends one.
    ///
    /// # Errors
    ///
    /// `mail.address_malformed`, or `mail.not_sent` with what the server said.
    pub async fn send(&self, letter: &Letter) -> Result<()> {
        let to: Mailbox = letter
            .to
            .parse()
            .map_err(|_| Problem::new("mail.address_malformed", format!("`{}` is no e-mail address", letter.to)))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(Problem::internal)?;
        let sent = match &self.way {
            Way::Files(files) => files.send(message).await.map(|_| ()).map_err(|error| error.to_string()),
            Way::Smtp(smtp) => smtp.send(message).await.map(|_| ()).map_err(|error| error.to_string()),
        };
        sent.map_err(|error| {
            Problem::new("mail.not_sent", format!("the mail could not be sent: {error}")).help(
                "all else was done and stays so: see the mail settings of the service, then have the link sent again, \
                     by POST to the user's `invitation`",
            )
        })
    }
}

/// Whether a text is an e-mail address that mails can be sent to.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.len() <= 254 && text.parse::<lettre::Address>().is_ok()
}
