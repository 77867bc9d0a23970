use super::*;
use crate::time::Duration;

fn instant(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap()
}

fn number(last_digit: u8) -> E164 {
    E164::parse(format!("+44207946000{last_digit}").as_bytes()).unwrap()
}

fn facts() -> Facts {
    let site = |site: &str| SiteFacts { site: site.to_owned(), ..SiteFacts::default() };
    Facts { occupier: "acme".to_owned(), sites: vec![site("ldn"), site("nyc")], ..Facts::default() }
}

fn in_the_way() -> Facts {
    let mut facts = facts();
    facts.sites[0].logged_in = vec![number(1), number(2)];
    facts.sites[0].updating_services = vec!["voice-1".to_owned()];
    facts.sites[1].pending_numbers = vec![number(3)];
    facts
}

fn code(facts: &Facts, command: Command, at: Instant) -> &'static str {
    let code = decide(facts, &command, at).map_or_else(|refusal| refusal.code, |_| "done");
    assert!(code == "done" || CODES.contains(&code), "{code}");
    code
}

#[test]
fn rule_65_every_precondition_that_is_not_met_is_named_at_every_site() {
    let refusal = decide(&in_the_way(), &Command::Now, instant("2026-07-01T09:00:00Z")).unwrap_err();
    let expected = "4 things stand in the way of decommissioning acme\n\
        voice-1: service voice-1 at ldn has an update in progress\n\
        +442079460001: a handset is logged in to +442079460001 at ldn\n\
        +442079460002: a handset is logged in to +442079460002 at ldn\n\
        +442079460003: a change of +442079460003 at nyc is under way";
    assert_eq!(refusal.to_string(), expected);
    assert!(refusal.details.iter().all(|detail| CODES.contains(&detail.code)));

    let mut one = facts();
    one.sites[1].logged_in = vec![number(1)];
    let refusal = decide(&one, &Command::Now, instant("2026-07-01T09:00:00Z")).unwrap_err();
    assert_eq!(refusal.message, "1 thing stands in the way of decommissioning acme");
}

#[test]
fn rule_65_a_decommission_cannot_be_undone() {
    let at = instant("2026-07-01T09:00:00Z");
    let event = decide(&facts(), &Command::Now, at).unwrap();
    let gone = apply(&facts(), &event);
    assert_eq!((gone.decommissioned_at, gone.scheduled_for), (Some(at), None));
    let tomorrow = at.plus(Duration::from_seconds(86_400));
    for command in [Command::Now, Command::Schedule(tomorrow), Command::Cancel, Command::CarryOut] {
        assert_eq!(code(&gone, command, at), "occupier.decommissioned");
    }
}

#[test]
fn rule_66_a_scheduled_decommission_does_nothing_before_its_time_and_can_be_cancelled_until_then() {
    let (now, due) = (instant("2026-07-01T09:00:00Z"), instant("2026-07-31T18:00:00Z"));
    // What stands in the way now may be gone by then.
    let scheduled = apply(&in_the_way(), &decide(&in_the_way(), &Command::Schedule(due), now).unwrap());
    assert_eq!((scheduled.scheduled_for, scheduled.decommissioned_at), (Some(due), None));

    let a_moment_before = due.plus(Duration::from_millis(-1));
    assert_eq!(code(&scheduled, Command::CarryOut, a_moment_before), "decommission.not_due");
    let cancelled = decide(&scheduled, &Command::Cancel, a_moment_before).unwrap();
    assert_eq!(apply(&scheduled, &cancelled), in_the_way());
    assert_eq!(code(&scheduled, Command::Cancel, due), "decommission.due");

    let later = due.plus(Duration::from_seconds(60));
    assert_eq!(code(&scheduled, Command::Schedule(later), a_moment_before), "done");
    assert_eq!(code(&scheduled, Command::Schedule(later), due), "decommission.due");

    // It waits past its time, and is carried out once nothing stands in its way.
    assert_eq!(code(&scheduled, Command::CarryOut, due), "decommission.not_ready");
    let clear = Facts { sites: facts().sites, ..scheduled };
    assert_eq!(decide(&clear, &Command::CarryOut, later), Ok(Event::Decommissioned { at: later }));
    // It may also come sooner.
    assert_eq!(code(&clear, Command::Now, now), "done");
}

#[test]
fn rule_66_a_time_is_set_in_advance() {
    let now = instant("2026-07-01T09:00:00Z");
    assert_eq!(code(&facts(), Command::Schedule(now), now), "decommission.in_past");
    assert_eq!(code(&facts(), Command::Schedule(now.plus(Duration::from_millis(1))), now), "done");
    assert_eq!(code(&facts(), Command::Cancel, now), "decommission.not_scheduled");
    assert_eq!(code(&facts(), Command::CarryOut, now), "decommission.not_scheduled");
}
