//! Connections, as somebody has them who does not mean well: slow, many, and in another's name.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::desk::{Desk, PASSWORD, Who};

/// A service that listens; it stops when the other end of the channel is dropped.
async fn listening(desk: &Desk) -> (SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let app = desk.app.clone();
    let stopped = async move {
        let _ = stopped.await;
    };
    tokio::spawn(async move { rating_service::serve::serve(&app, listener, stopped).await });
    (address, stop)
}

/// What is answered to some bytes, to the end of the connection.
async fn answer(address: SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).await.unwrap();
    String::from_utf8_lossy(&told).into_owned()
}

async fn sign_in(address: SocketAddr, from: &str, password: &str) -> String {
    let body = json!({ "email": "ada@example.com", "password": password }).to_string();
    let request = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {address}\r\nx-forwarded-for: {from}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    answer(address, &request).await.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn who_does_not_say_what_it_wants_is_let_go() {
    let (desk, _) = Desk::set_up().await;
    let desk = desk
        .started_with(|config| {
            config.limits.head = Duration::from_millis(200);
            config.limits.connections = 1;
        })
        .await;
    let (address, _stop) = listening(&desk).await;
    // The one connection there may be says half of what it wants, and is let go; so the next one has its turn.
    let slow = tokio::spawn(async move { answer(address, "GET /livez HTTP/1.1\r\nhost: x\r\nx-slow").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let next = answer(address, "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(next.starts_with("HTTP/1.1 200 "), "{next}");
    let told = slow.await.unwrap();
    assert!(!told.contains(" 200 "), "{told}");
}

#[tokio::test]
async fn strangers_who_guess_a_password_lock_nobody_out_who_is_elsewhere() {
    let (desk, _) = Desk::set_up().await;
    let desk = desk.started_with(|config| config.is_behind_proxy = true).await;
    let (address, _stop) = listening(&desk).await;
    for _ in 0..10 {
        assert_eq!(sign_in(address, "203.0.113.9", "a guess of a password").await, "401");
    }
    assert_eq!(sign_in(address, "203.0.113.9", PASSWORD).await, "429");
    // What a client says before the proxy's own word makes it nobody else.
    assert_eq!(sign_in(address, "198.51.100.7, 203.0.113.9", PASSWORD).await, "429");
    assert_eq!(sign_in(address, "198.51.100.7", PASSWORD).await, "201");
    // Many networks together have ten times as many guesses.
    for network in 0..10 {
        for _ in 0..10 {
            assert_eq!(sign_in(address, &format!("192.0.2.{network}"), "a guess of a password").await, "401");
        }
    }
    assert_eq!(sign_in(address, "192.0.2.77", PASSWORD).await, "429");
}

#[tokio::test]
async fn forms_are_taken_under_the_name_that_the_outside_knows() {
    let (desk, ada) = Desk::set_up().await;
    let Who::Session(secret) = &ada else { panic!("{ada:?}") };
    let change = async |desk: &Desk, origin: &str, host: &str| {
        let request = Request::post("/api/v1/project/checks").header("origin", origin).header("host", host);
        let request = request.header("cookie", format!("__Host-rating={secret}"));
        desk.answer(request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    let told = desk.started_with(|config| config.public_url = Some("https://calls.example.com".to_owned())).await;
    for (origin, expected) in [
        ("https://calls.example.com", 200),
        ("https://calls.example.com.evil.example", 403),
        // The name that another site gave to this address: the request's own, but not ours.
        ("http://evil.example", 403),
        ("https://evil.example", 403),
    ] {
        assert_eq!(change(&told, origin, "evil.example").await, expected, "{origin}");
    }
    // Who was not told goes by the name that it is asked by.
    assert_eq!(change(&desk, "http://ldn.example:8080", "ldn.example:8080").await, 200);
    assert_eq!(change(&desk, "http://evil.example", "ldn.example:8080").await, 403);
}
