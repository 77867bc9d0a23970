//! Starting and stopping the service.

use std::future::{Future, IntoFuture};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::due::due;
use crate::error::{Problem, Result};
use crate::http::router;

/// How long those who are connected may take when the service ends.
const GRACE: Duration = Duration::from_secs(30);

/// Serves until `stop` is done; then takes no new request, finishes those under way, and closes the database.
///
/// # Errors
///
/// The address cannot be used, or serving fails.
pub async fn serve(app: &App, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let routes = router(app)?;
    let minutes = tokio::spawn(each_minute(app.clone()));
    let tidied = tokio::spawn(crate::tidy::begin(app.clone()));
    let (asked, to_stop) = tokio::sync::oneshot::channel::<()>();
    let stop = async move {
        stop.await;
        let _ = asked.send(());
    };
    // Ready-made: the router as it is would be copied, every route of it, for each connection.
    let served = axum::serve(listener, routes.into_make_service()).with_graceful_shutdown(stop).into_future();
    let too_long = async {
        if to_stop.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(GRACE).await;
    };
    let served = tokio::select! {
        served = served => served,
        () = too_long => {
            tracing::warn!("connections were still open after {} s, and are dropped", GRACE.as_secs());
            Ok(())
        }
    };
    minutes.abort();
    tidied.abort();
    app.store.close().await;
    served.map_err(Problem::internal)
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
