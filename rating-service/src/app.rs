//! What every request can reach: the database, the clock, the policy, the post.

use std::sync::Arc;

use rating_core::time::Duration;

use crate::auth::limits::Limiter;
use crate::auth::policy::Policy;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Problem, Result};
use crate::jobs::Jobs;
use crate::mail::Mailer;
use crate::publish::download::Desk;
use crate::publish::engine::Engine;
use crate::publish::explained::Explainer;
use crate::publish::inbox::Inbox;
use crate::publish::index::Index;
use crate::publish::shelf::Shelf;
use crate::store::{Actor, Store, idempotency, operator, secrets};

/// Counters are the process's.
static METRICS: std::sync::OnceLock<metrics_exporter_prometheus::PrometheusHandle> = std::sync::OnceLock::new();

/// The running service. Clones are the same service.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// Its parts.
pub struct Inner {
    /// The database.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// How it was started.
    pub config: Config,
    /// Who may what.
    pub policy: Policy,
    /// The post.
    pub mailer: Mailer,
    /// The engine that runs months.
    pub engine: Engine,
    /// Versions that are looked at often.
    pub shelf: Shelf,
    /// The calls of versions, for pages.
    pub index: Index,
    /// Why calls cost what they cost.
    pub explainer: Explainer,
    /// Where downloads are made.
    pub desk: Desk,
    /// The runs under way.
    pub jobs: Jobs,
    /// Requests by caller.
    pub requests: Limiter,
    /// Counters.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
    /// Failed sign-ins by e-mail address and network.
    pub sign_ins: Limiter,
    /// Failed sign-ins by e-mail address, from wherever.
    pub sign_ins_from_anywhere: Limiter,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Opens the data folder (making it if there is none) and everything in it.
    ///
    /// # Errors
    ///
    /// The folder, the database or the mail settings cannot be used.
    pub async fn open(config: Config, clock: Clock) -> Result<Self> {
        tokio::fs::create_dir_all(&config.data).await.map_err(|error| {
            Problem::internal(format!("the data folder {} cannot be made: {error}", config.data.display()))
        })?;
        let store = Store::open(&config.data.join("rating.db")).await?;
        let mut change = store.change(&Actor::Service, clock.now()).await?;
        idempotency::free_unfinished(change.on()).await?;
        change.commit_unnoted().await?;
        let policy = Policy::built_in().map_err(Problem::internal)?;
        let mailer = Mailer::new(&config)?;
        let metrics = METRICS.get_or_init(|| {
            let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another recorder of metrics was there before: /metrics stays empty");
            }
            handle
        });
        let metrics = metrics.clone();
        let engine = Engine::new(&config.data);
        Inbox::new(&config.data, config.limits.files()).clear().map_err(Problem::internal)?;
        let desk = Desk::new(&config.data).map_err(Problem::internal)?;
        let requests = Limiter::new(Duration::from_seconds(60), config.limits.requests_a_minute);
        let quarter = Duration::from_seconds(15 * 60);
        let sign_ins = Limiter::new(quarter, config.limits.failed_sign_ins);
        let sign_ins_from_anywhere = Limiter::new(quarter, config.limits.failed_sign_ins.saturating_mul(10));
        Ok(Self(Arc::new(Inner {
            store,
            clock,
            policy,
            mailer,
            shelf: Shelf::new(engine.archive()),
            index: Index::new(&config.data),
            explainer: Explainer::new(&config.data),
            engine,
            desk,
            jobs: Jobs::default(),
            requests,
            sign_ins,
            sign_ins_from_anywhere,
            metrics,
            config,
        })))
    }

    /// The one-time link that creates the operator and its first administrator, while there is none: a new one each
    /// time, the earlier ones are void.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn setup_link(&self) -> Result<Option<String>> {
        let mut change = self.store.change(&Actor::Service, self.clock.now()).await?;
        if operator::get(change.on()).await?.is_some() {
            return Ok(None);
        }
        let secret = secrets::fresh()?;
        let at = change.at();
        secrets::set_setup_link(change.on(), &secret, at).await?;
        change.note(crate::store::audit::Entry::new("setup.link_made", "operator"));
        change.commit().await?;
        Ok(Some(format!("{}/setup#{secret}", self.config.url())))
    }
}
