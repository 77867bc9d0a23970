//! Starting and stopping the service.

use std::future::Future;

use tokio::net::TcpListener;

use crate::app::App;
use crate::error::{Problem, Result};
use crate::http::router;

/// Serves until `stop` is done; then takes no new request, finishes those under way, and closes the database.
///
/// # Errors
///
/// The address cannot be used, or serving fails.
pub async fn serve(app: &App, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let routes = router(app)?;
    let served = axum::serve(listener, routes).with_graceful_shutdown(stop).await;
    app.store.close().await;
    served.map_err(Problem::internal)
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
