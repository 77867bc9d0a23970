//! Several clients want the same number at once: one gets it, the others are told so.

use serde_json::json;

use crate::desk::Desk;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_who_want_one_number_one_gets_it_and_the_others_409() {
    const RACES: usize = 1_000;
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let token = desk.token(&ada, &["numbers", "read"], None).await;
    let occupiers: Vec<String> = (0..16).map(|index| format!("occupier{index}")).collect();
    for occupier in &occupiers {
        desk.lease(occupier, "ldn", "2026-01-01", 1).await;
    }
    desk.provision(&token, "ldn", "+442079460000", "+442079460999").await;
    let mut won = 0;
    for race in 0..RACES {
        // The test's requests are more than a minute allows: time passes.
        desk.clock.advance(rating_core::time::Duration::from_seconds(60));
        let clients = 2 + race % 15;
        let number = format!("+442079460{race:03}");
        let mut running = tokio::task::JoinSet::new();
        for occupier in occupiers.iter().take(clients) {
            let (desk, token, number, occupier) = (desk.clone(), token.clone(), number.clone(), occupier.clone());
            running.spawn(async move {
                let answer =
                    desk.command(&token, "ldn", &[&number], json!({ "allocate": { "holder": occupier } })).await;
                match answer.status.as_u16() {
                    200 => Some(occupier),
                    409 => {
                        assert_eq!(answer.code(), "number.not_available");
                        None
                    }
                    other => panic!("{other}: {}", answer.text()),
                }
            });
        }
        let winners: Vec<String> = running.join_all().await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "race {race} of {clients}");
        let holder = desk.get(&token, &format!("/api/v1/numbers/{number}")).await.json()["holder"].clone();
        assert_eq!(holder, json!(winners[0]), "who was told yes holds it");
        won += 1;
    }
    assert_eq!(won, RACES);
}
