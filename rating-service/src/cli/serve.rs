//! `rating serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Limits, Mail};
use crate::demo;
use crate::error::Problem;
use crate::serve::{asked_to_stop, serve};

pub(super) const EXAMPLES: &str = "\
Examples:
  rating serve
  rating serve --demo --data /tmp/demo
  rating serve --data /var/lib/rating --listen 127.0.0.1:8080 --public-url https://calls.example.com
  rating serve --smtp 'smtps://user:password@mail.example.com' --mail-from 'Harbour <calls@example.com>'";

/// How the service is started.
#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// The one folder of everything the service keeps
    #[arg(long, value_name = "FOLDER", default_value = "rating-data", env = "RATING_DATA")]
    data: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", env = "RATING_LISTEN")]
    listen: SocketAddr,
    /// How the outside reaches it, for links in mails
    #[arg(long, value_name = "URL", env = "RATING_PUBLIC_URL")]
    public_url: Option<String>,
    /// All requests come through a proxy that says in `X-Forwarded-For` who asked it
    #[arg(long, env = "RATING_BEHIND_PROXY")]
    behind_proxy: bool,
    /// The server that mails leave through; without it each mail is a file in `mail/` of the data folder
    #[arg(long, value_name = "URL", env = "RATING_SMTP", requires = "mail_from", hide_env_values = true)]
    smtp: Option<String>,
    /// How many requests one user or token may make in a minute
    #[arg(long, value_name = "COUNT", default_value_t = 1200, env = "RATING_REQUESTS_A_MINUTE")]
    requests_a_minute: u32,
    /// The sender of mails
    #[arg(long, value_name = "ADDRESS", env = "RATING_MAIL_FROM")]
    mail_from: Option<String>,
    /// Fill an empty data folder with a made-up operator, its occupiers and their calls, to look around in
    #[arg(long, conflicts_with = "smtp")]
    demo: bool,
}

pub(super) fn run(arguments: ServeArguments) -> Exit {
    let mail = match (arguments.smtp, arguments.mail_from) {
        (Some(url), Some(from)) => Mail::Smtp { url, from },
        _ => Mail::Files,
    };
    let config = Config {
        data: arguments.data,
        listen: arguments.listen,
        public_url: arguments.public_url,
        is_behind_proxy: arguments.behind_proxy,
        mail,
        limits: Limits { requests_a_minute: arguments.requests_a_minute, ..Limits::default() },
    };
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("RATING_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn")),
        )
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the service cannot start its threads: {error}");
            return Exit::Internal;
        }
    };
    match runtime.block_on(start(config, arguments.demo)) {
        Ok(()) => Exit::Ok,
        Err(Stopped::Listening(address, error)) => {
            eprintln!("error: nothing can listen on {address}: {error}\n  help: choose another with --listen");
            Exit::Usage
        }
        Err(Stopped::InUse(folder)) => {
            eprintln!(
                "error: another service keeps its data in {}\n  help: stop it first, or choose another folder with --data",
                folder.display()
            );
            Exit::Usage
        }
        Err(Stopped::Problem(problem)) => {
            eprintln!("error: {problem}");
            Exit::Storage
        }
    }
}

enum Stopped {
    InUse(PathBuf),
    Listening(SocketAddr, std::io::Error),
    Problem(Problem),
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Keeps the folder for this process, as long as the file is open.
fn taken(folder: &Path) -> Result<std::fs::File, Stopped> {
    let failed = |error: std::io::Error| {
        Stopped::Problem(Problem::internal(format!("the data folder {} cannot be used: {error}", folder.display())))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let file = std::fs::File::create(folder.join(".lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Stopped::InUse(folder.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

async fn start(mut config: Config, is_demo: bool) -> Result<(), Stopped> {
    let _taken = taken(&config.data)?;
    let listener =
        tokio::net::TcpListener::bind(config.listen).await.map_err(|error| Stopped::Listening(config.listen, error))?;
    if let Ok(address) = listener.local_addr() {
        config.listen = address;
    }
    if is_demo {
        println!("filling {} with a demo ...", config.data.display());
        let demo = demo::fill(&config, Clock::system().now()).await?;
        println!("\n{demo}\n");
    }
    let app = App::open(config, Clock::system()).await?;
    println!("listening on {}", app.config.url());
    if let Some(link) = app.setup_link().await? {
        println!("first, create the operator and its administrator here (the link is good once):\n\n  {link}\n");
    }
    serve(&app, listener, asked_to_stop()).await?;
    println!("stopped");
    Ok(())
}
