//! Starting and stopping the service.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::connections::take;
use crate::due::due;
use crate::error::Result;
use crate::http::router;

/// Serves until `stop` is done; then takes no new request, finishes those under way, and closes the database.
///
/// # Errors
///
/// A fault of this program: routes and policy do not agree.
pub async fn serve(app: &App, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let routes = router(app)?;
    let minutes = tokio::spawn(each_minute(app.clone()));
    let tidied = tokio::spawn(crate::tidy::begin(app.clone()));
    take(listener, routes, &app.config, stop).await;
    minutes.abort();
    tidied.abort();
    app.store.close().await;
    Ok(())
}

/// Does each minute what is due by then.
async fn each_minute(app: App) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        if let Err(problem) = due(&app).await {
            tracing::warn!(%problem, "what is due could not be looked at");
        }
    }
}

/// Done when the process is asked to end: an interrupt, or (on Unix) a termination.
pub async fn asked_to_stop() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return interrupt.await };
        tokio::select! {
            () = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await;
}
