//! Connections: how many there are, how long one may take to say what it wants, and who is at its other end.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Request};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

use crate::config::Config;

/// How long those who are connected may take when the service ends.
const GRACE: Duration = Duration::from_secs(30);

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(pub IpAddr);

impl Client {
    /// Who is at the other end; behind a proxy of our own, whom the proxy says it was asked by: the last address in
    /// `X-Forwarded-For`, for all before it are what the client says of itself.
    fn of(peer: SocketAddr, headers: &HeaderMap, is_behind_proxy: bool) -> Self {
        let told = headers.get_all("x-forwarded-for").iter().next_back().filter(|_| is_behind_proxy);
        let last = told.and_then(|told| told.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        Self(last.unwrap_or_else(|| peer.ip()))
    }

    /// The network that one client has to itself: an address of IPv4, the first 64 bits of one of IPv6 (RFC 6177).
    #[must_use]
    pub fn network(self) -> String {
        match self.0.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }
}

/// Takes connections until `stop` is done; then no new ones, and waits for the requests under way, but not for ever.
pub async fn take(listener: TcpListener, routes: Router, config: &Config, stop: impl Future<Output = ()>) {
    let is_behind_proxy = config.is_behind_proxy;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(config.limits.head);
    let open = Arc::new(Semaphore::new(config.limits.connections));
    let ending = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer, permit) = tokio::select! {
            next = next(&listener, &open) => next,
            () = &mut stop => break,
        };
        let routes = routes.clone();
        let answer = service_fn(move |mut request: Request<hyper::body::Incoming>| {
            let client = Client::of(peer, request.headers(), is_behind_proxy);
            request.extensions_mut().insert(client);
            let answer = routes.clone().call(request);
            async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let connection = ending.watch(http.serve_connection(TokioIo::new(stream), answer));
        tokio::spawn(async move {
            let _permit = permit;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, ending.shutdown()).await.is_err() {
        tracing::warn!("connections were still open after {} s, and are dropped", GRACE.as_secs());
    }
}

/// The next connection, when there is room for it.
async fn next(listener: &TcpListener, open: &Arc<Semaphore>) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    let permit = Arc::clone(open).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers are not kept back for more to come.
                let _ = stream.set_nodelay(true);
                return (stream, peer, permit);
            }
            Err(error) => match error.kind() {
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset => {}
                _ => {
                    // No more files may be opened, as a rule: some will be closed.
                    tracing::error!(%error, "no connection could be taken");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_the_peer_or_whom_our_own_proxy_names() {
        let peer: SocketAddr = "192.0.2.1:4711".parse().unwrap();
        let told =
            |text: &'static str| HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), text.parse().unwrap())]);
        for (headers, is_behind_proxy, network) in [
            (HeaderMap::new(), true, "192.0.2.1"),
            (told("203.0.113.9"), false, "192.0.2.1"),
            (told("203.0.113.9"), true, "203.0.113.9"),
            // What stands before the last one, a client could have written itself.
            (told("198.51.100.7, 203.0.113.9"), true, "203.0.113.9"),
            (told("somebody"), true, "192.0.2.1"),
            (told("2001:db8:1:2:3:4:5:6"), true, "2001:db8:1:2::/64"),
            (told("::ffff:203.0.113.9"), true, "203.0.113.9"),
        ] {
            assert_eq!(Client::of(peer, &headers, is_behind_proxy).network(), network, "{headers:?}");
        }
    }
}
