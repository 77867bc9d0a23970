//! Mails through a server: one that listens on this machine and speaks SMTP (RFC 5321), one that refuses, and none.

use std::sync::{Arc, Mutex};

use rating_service::config::Mail;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::desk::{Desk, LEVEL, PASSWORD, Who};

const PORTAL: &str = "/api/v1/occupiers/acme/portal";
const USERS: &str = "/api/v1/occupiers/acme/users";

/// What a server does with a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Takes,
    RefusesRecipients,
    RefusesTheText,
    HangsUp,
}

/// A mail as it came over the wire.
#[derive(Clone, Debug, Default)]
struct Received {
    from: String,
    to: Vec<String>,
    text: String,
}

/// A server on this machine, as long as the test lasts.
struct Post {
    url: String,
    manner: Arc<Mutex<Manner>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Post {
    async fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let post = Self { url, manner: Arc::new(Mutex::new(manner)), received: Arc::default() };
        let (manner, received) = (Arc::clone(&post.manner), Arc::clone(&post.received));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (manner, received) = (*manner.lock().unwrap(), Arc::clone(&received));
                tokio::spawn(async move { serve(stream, manner, &received).await });
            }
        });
        post
    }

    fn be(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    fn mails(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// One connection. Ends when the client goes.
async fn serve(stream: TcpStream, manner: Manner, received: &Mutex<Vec<Received>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut mail = Received::default();
    write.write_all(b"220 post.example ESMTP\r\n").await.ok()?;
    loop {
        let line = lines.next_line().await.ok()??;
        let verb = line.get(..4).unwrap_or_default().to_uppercase();
        let address = || line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).unwrap().0.to_owned();
        let answer = match verb.as_str() {
            "EHLO" | "HELO" => "250 post.example",
            "MAIL" => {
                mail.from = address();
                "250 2.1.0 ok"
            }
            "RCPT" if manner == Manner::RefusesRecipients => "550 5.1.1 nobody here",
            "RCPT" => {
                mail.to.push(address());
                "250 2.1.5 ok"
            }
            "DATA" if manner == Manner::HangsUp => return None,
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                loop {
                    let line = lines.next_line().await.ok()??;
                    if line == "." {
                        break;
                    }
                    // A line of the text that begins with a point has one more (RFC 5321, 4.5.2).
                    mail.text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.text.push_str("\r\n");
                }
                if manner == Manner::RefusesTheText {
                    "554 5.7.1 not this"
                } else {
                    received.lock().unwrap().push(std::mem::take(&mut mail));
                    "250 2.0.0 taken"
                }
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            _ => "250 ok",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

/// acme with a contact and a contract; mails leave through that server.
async fn desk(url: &str) -> (Desk, Who) {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.occupier(&ada, "acme").await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    let mail = Mail::Smtp { url: url.to_owned(), from: "calls@harbour.example".to_owned() };
    (desk.started_with(|config| config.mail = mail).await, ada)
}

fn activation() -> Value {
    json!({ "level": LEVEL.clone(), "administrator": { "email": "ann@acme.example", "name": "Ann" } })
}

fn secret(mail: &Received) -> String {
    let text = mail.text.replace("=\r\n", "").replace("=3D", "=");
    text.split_once("/join#").unwrap().1.split_whitespace().next().unwrap().to_owned()
}

async fn join(desk: &Desk, mail: &Received) -> Who {
    let body = json!({ "secret": secret(mail), "password": PASSWORD });
    Desk::session(&desk.post(&Who::Nobody, "/api/v1/invitation", body).await.expect(201))
}

#[tokio::test]
async fn an_activation_is_mailed_through_the_server_and_its_link_leads_in() {
    let post = Post::open(Manner::Takes).await;
    let (desk, ada) = desk(&post.url).await;
    desk.post(&ada, &format!("{PORTAL}/activate"), activation()).await.expect(200);
    let mails = post.mails();
    assert_eq!(mails.len(), 1, "one mail");
    assert_eq!(
        (mails[0].from.as_str(), mails[0].to.as_slice()),
        ("calls@harbour.example", ["ann@acme.example".to_owned()].as_slice())
    );
    assert!(mails[0].text.contains("To: ann@acme.example\r\n") && mails[0].text.contains("Subject: "));
    assert!(!mails[0].text.contains(PASSWORD));
    let ann = join(&desk, &mails[0]).await;
    let me = desk.get(&ann, "/api/v1/session").await.expect(200).json();
    assert_eq!(me["user"]["occupier"], "acme");
    // The link is good once, over this way too.
    let again = json!({ "secret": secret(&mails[0]), "password": PASSWORD });
    desk.post(&Who::Nobody, "/api/v1/invitation", again).await.refused(404, "auth.invitation_invalid");
    let files = std::fs::read_dir(desk.folder().join("mail")).unwrap().count();
    assert_eq!(files, 0, "no copy of a link is left");
}

/// What there is after a mail was not sent: all that was asked for, and a way to send it again.
async fn is_whole_and_goes_on(desk: &Desk, ada: &Who, post: &Post) {
    assert!(post.mails().is_empty());
    assert_eq!(desk.get(ada, PORTAL).await.expect(200).json()["active"], true);
    let users = desk.get(ada, USERS).await.expect(200).json();
    let users = users["items"].as_array().unwrap();
    assert_eq!((users.len(), &users[0]["state"]), (1, &json!("invited")));
    assert_eq!(desk.get(ada, "/api/v1/audit/chain").await.expect(200).json().get("broken_at"), None);
    let again = format!("{USERS}/{}/invitation", users[0]["id"].as_str().unwrap());
    desk.ask(ada, "POST", &again, None, &[]).await.refused(502, "mail.not_sent");
    post.be(Manner::Takes);
    desk.ask(ada, "POST", &again, None, &[]).await.expect(202);
    let mails = post.mails();
    assert_eq!(mails.len(), 1);
    let ann = join(desk, &mails[0]).await;
    desk.get(&ann, "/api/v1/occupiers/acme").await.expect(200);
}

#[tokio::test]
async fn a_server_that_refuses_is_told_and_nothing_is_half_done() {
    for manner in [Manner::RefusesRecipients, Manner::RefusesTheText, Manner::HangsUp] {
        let post = Post::open(manner).await;
        let (desk, ada) = desk(&post.url).await;
        let refused = desk.post(&ada, &format!("{PORTAL}/activate"), activation()).await.refused(502, "mail.not_sent");
        assert!(refused.json()["help"].as_str().unwrap().contains("invitation"), "{manner:?}: what to do next");
        is_whole_and_goes_on(&desk, &ada, &post).await;
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_told_and_who_forgot_a_password_is_told_nothing() {
    // A port that was free a moment ago.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (desk, ada) = desk(&format!("smtp://{closed}")).await;
    desk.post(&ada, &format!("{PORTAL}/activate"), activation()).await.refused(502, "mail.not_sent");
    let new = json!({ "email": "bob@acme.example", "settings": { "name": "Bob", "role": "occupier_view" } });
    desk.post(&ada, USERS, new).await.refused(502, "mail.not_sent");
    let users = desk.get(&ada, USERS).await.expect(200).json();
    assert_eq!(users["items"].as_array().unwrap().len(), 2, "both are there, to be invited again");
    for email in ["ada@example.com", "nobody@example.com"] {
        let answer = desk.post(&Who::Nobody, "/api/v1/password-resets", json!({ "email": email })).await.expect(202);
        assert!(answer.body.is_empty(), "{email}");
    }
    // The same service, its server back.
    let post = Post::open(Manner::Takes).await;
    let mail = Mail::Smtp { url: post.url.clone(), from: "calls@harbour.example".to_owned() };
    let back = desk.started_with(|config| config.mail = mail).await;
    let ann = users["items"].as_array().unwrap().iter().find(|user| user["role"] == "occupier_admin").unwrap();
    let again = format!("{USERS}/{}/invitation", ann["id"].as_str().unwrap());
    back.ask(&ada, "POST", &again, None, &[]).await.expect(202);
    join(&back, &post.mails()[0]).await;
}
