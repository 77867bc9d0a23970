//! Tables of directions, times and assemblies; one `check` for each.

use std::sync::LazyLock;

use super::dial_plan::{Countries, DialPlan, ExtensionRange, SitePlan};
use super::*;
use crate::cdr::{Kind, NotACall, Stamp};
use crate::source::RecordId;
use crate::time::{LocalTime, Zone};

const NONE: Cdr<'static> = Cdr {
    id: RecordId::from_bits(0),
    raw: b"",
    call_id: b"",
    key: [b""; 6],
    key_at: None,
    setup: None,
    answer: None,
    end: None,
    epoch: None,
    duration: None,
    talk: Duration::ZERO,
    answered: false,
    calling: b"",
    peer: b"",
    dialled: b"",
    reached: b"",
    outpulsed: b"",
    forwarder: b"",
    account: b"",
    context: b"",
    ingress: b"",
    egress: b"",
    ends: [crate::cdr::End::Untold; 2],
    carrier_price: b"",
    carrier_currency: b"",
    frame: None,
    partitions: None,
    kind: Kind::Call,
};

fn digits(text: &str) -> Digits {
    Digits::parse(text.as_bytes()).unwrap()
}

/// London, 9 for a line, extensions 100 to 199.
static PLAN: LazyLock<std::sync::Arc<DialPlan>> = LazyLock::new(|| {
    let site = SitePlan {
        country: "GB".to_owned(),
        area_code: Some(digits("20")),
        outside_line: vec![digits("9")],
        extensions: vec![ExtensionRange { from: digits("100"), to: digits("199") }],
    };
    std::sync::Arc::new(DialPlan::compile(&site, &Countries::embedded()).unwrap())
});

pub(super) fn mediator(zone: &str, settings: SourceSettings) -> Mediator {
    Mediator::new(SourceId(3), SiteId(5), Zone::load(zone).unwrap(), PLAN.clone(), settings)
}

pub(super) fn with_trunks() -> SourceSettings {
    SourceSettings { trunks: vec!["PJSIP/trunk".to_owned(), "SIP/*-out-*".to_owned()], ..SourceSettings::default() }
}

/// A record at noon with 9 s of ringing and `talk` seconds of talk.
fn record(talk: i64) -> Cdr<'static> {
    Cdr {
        setup: Some(Stamp::Local(LocalTime::parse(b"2026-07-01 12:00:00").unwrap())),
        duration: Some(Duration::from_seconds(9 + talk)),
        talk: Duration::from_seconds(talk),
        answered: talk > 0,
        ..NONE
    }
}

pub(super) fn asterisk(
    calling: &'static str,
    ingress: &'static str,
    dialled: &'static str,
    egress: &'static str,
) -> Cdr<'static> {
    let name = ingress.split_once('/').map_or("", |(_, name)| name);
    let peer = name.rsplit_once('-').map_or(name, |(peer, _)| peer);
    Cdr {
        calling: calling.as_bytes(),
        peer: if ingress.starts_with("Local/") { b"" } else { peer.as_bytes() },
        ingress: ingress.as_bytes(),
        dialled: dialled.as_bytes(),
        egress: egress.as_bytes(),
        ..record(60)
    }
}

fn shown(party: Party<'_>) -> String {
    match party {
        Party::Number(number) => number.to_string(),
        Party::Extension(digits) | Party::Emergency(digits) | Party::ShortCode(digits) => digits.to_string(),
        Party::Feature(text) | Party::Name(text) | Party::Unclassified(text) => {
            String::from_utf8_lossy(text).into_owned()
        }
        Party::Withheld => "withheld".to_owned(),
        Party::Missing => "nobody".to_owned(),
    }
}

/// `outbound 114 → +442079460958 by 114 via 105`: `by` the extension, `via` the forwarder.
pub(super) fn line(call: &Call<'_>) -> String {
    let by = call.extension.map_or(String::new(), |extension| format!(" by {extension}"));
    let via = call.forwarder.map_or(String::new(), |forwarder| format!(" via {}", shown(forwarder)));
    format!("{} {} → {}{by}{via}", call.direction.name(), shown(call.calling), shown(call.called))
}

fn check(settings: SourceSettings, cdr: Cdr<'_>, expected: &str) {
    match mediator("Europe/London", settings).mediate(&cdr) {
        Mediated::Call(call) => assert_eq!(line(&call), expected, "{cdr:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn trunk_patterns_tell_which_way_a_call_went() {
    for (cdr, expected) in [
        (asterisk("114", "PJSIP/114-01", "902079460958", "PJSIP/trunk-02"), "outbound 114 → +442079460958 by 114"),
        (asterisk("02079460000", "PJSIP/114-01", "9999", "PJSIP/trunk-02"), "outbound 114 → 999 by 114"),
        (asterisk("114", "PJSIP/114-01", "101", "PJSIP/trunk-02"), "outbound 114 → 101 by 114"),
        (asterisk("01632960001", "PJSIP/trunk-01", "105", "PJSIP/105-02"), "inbound +441632960001 → 105"),
        (asterisk("01632960001", "SIP/abc-out-7", "105", "PJSIP/105-02"), "inbound +441632960001 → 105"),
        (asterisk("anonymous", "pjsip/TRUNK-01", "02079460105", "PJSIP/105-02"), "inbound withheld → +442079460105"),
        (asterisk("01632960001", "PJSIP/trunk-01", "s", ""), "inbound +441632960001 → s"),
        (asterisk("114", "PJSIP/114-01", "105", "PJSIP/105-02"), "internal 114 → 105 by 114"),
        (asterisk("114", "PJSIP/114-01", "*60", ""), "internal 114 → *60 by 114"),
        (asterisk("112", "PJSIP/112-01", "105", "PJSIP/105-02"), "internal 112 → 105 by 112"),
        // Answered by an application: it went nowhere, whatever was dialled.
        (asterisk("114", "PJSIP/114-01", "902079460958", ""), "internal 114 → +442079460958 by 114"),
        // In by a trunk and out by a trunk. The extension that was dialled sent it on.
        (
            asterisk("01632960001", "PJSIP/trunk-01", "105", "PJSIP/trunk-02"),
            "forwarded +441632960001 → 105 by 105 via 105",
        ),
        (
            Cdr {
                reached: b"907700900123",
                ..asterisk("01632960001", "PJSIP/trunk-01", "02079460105", "PJSIP/trunk-02")
            },
            "forwarded +441632960001 → +447700900123 via +442079460105",
        ),
        (
            asterisk("01632960001", "PJSIP/trunk-01", "907700900123", "PJSIP/trunk-02"),
            "forwarded +441632960001 → +447700900123",
        ),
        // The number is only in the application's data.
        (
            Cdr { reached: b"07700900123", ..asterisk("client1", "PJSIP/114-01", "dial-out", "PJSIP/trunk-02") },
            "outbound 114 → +447700900123 by 114",
        ),
    ] {
        check(with_trunks(), cdr, expected);
    }
    let failed = Cdr { talk: Duration::ZERO, answered: false, ..asterisk("114", "PJSIP/114-01", "902079460958", "") };
    check(with_trunks(), failed, "outbound 114 → +442079460958 by 114");
}

#[test]
fn without_trunk_patterns_channels_contexts_and_numbers_tell() {
    let context = |context: &'static str, cdr: Cdr<'static>| Cdr { context: context.as_bytes(), ..cdr };
    for (cdr, expected) in [
        (asterisk("114", "SIP/114-01", "902079460958", "SIP/carrier-02"), "outbound 114 → +442079460958 by 114"),
        (asterisk("114", "SIP/114-01", "999", "SIP/carrier-02"), "outbound 114 → 999 by 114"),
        (asterisk("01632960001", "SIP/carrier-01", "105", "SIP/105-02"), "inbound +441632960001 → 105"),
        (asterisk("114", "SIP/114-01", "105", "SIP/105-02"), "internal 114 → 105 by 114"),
        (
            context("from-trunk-carrier", asterisk("7700900123", "SIP/carrier-01", "105", "SIP/105-02")),
            "inbound +447700900123 → 105",
        ),
        (
            context("from-internal", asterisk("02079460114", "DAHDI/1-1", "907700900123", "DAHDI/2-1")),
            "outbound +442079460114 → +447700900123",
        ),
        // FreePBX writes `ext-local` where the call ended, not where it began.
        (
            context("ext-local", asterisk("01632960001", "SIP/carrier-01", "105", "SIP/105-02")),
            "inbound +441632960001 → 105",
        ),
        (asterisk("", "SIP/carrier-01", "hello world", "SIP/carrier-02"), "unknown nobody → hello world"),
    ] {
        check(SourceSettings::default(), cdr, expected);
    }
}

fn cucm(
    calling: &'static str,
    ingress: &'static str,
    dialled: &'static str,
    egress: &'static str,
    partitions: (&'static str, &'static str),
) -> Cdr<'static> {
    Cdr {
        calling: calling.as_bytes(),
        ingress: ingress.as_bytes(),
        dialled: dialled.as_bytes(),
        reached: dialled.as_bytes(),
        egress: egress.as_bytes(),
        partitions: Some((partitions.0.as_bytes(), partitions.1.as_bytes())),
        ..record(60)
    }
}

#[test]
fn a_layout_without_channels_does_not_make_outgoing_calls_internal() {
    // An administrator's own list of columns may lack both channels: the numbers tell, and nobody calls for free.
    for (calling, dialled, direction) in [
        ("101", "901614960123", Direction::Outbound),
        ("101", "102", Direction::Internal),
        ("07700900456", "101", Direction::Inbound),
    ] {
        let cdr = Cdr { calling: calling.as_bytes(), dialled: dialled.as_bytes(), ..record(60) };
        let mediator = mediator("Europe/London", SourceSettings::default());
        let Mediated::Call(call) = mediator.mediate(&cdr) else { panic!("a call") };
        assert_eq!(call.direction, direction, "{calling} {dialled}");
    }
}

#[test]
fn a_call_tells_what_prices_may_depend_on_its_trunk_the_codes_dialled_and_the_number_shown() {
    let settings = SourceSettings {
        trunks: ["PJSIP/trunk", "PJSIP/trunk2", "SIP/*-out-*"].map(str::to_owned).into(),
        ..SourceSettings::default()
    };
    let mediator = mediator("Europe/London", settings);
    for (calling, ingress, dialled, egress, expected) in [
        // The line is known as 114 and shows the number of the house; of two patterns the longer names the trunk.
        ("02079460000", "PJSIP/114-1", "901632960123", "PJSIP/trunk2-2", "PJSIP/trunk2 9 +442079460000 geographic"),
        ("07700900456", "PJSIP/114-1", "901632960123", "PJSIP/trunk-2", "PJSIP/trunk 9 +447700900456 mobile"),
        // The extension itself is no number to show.
        ("114", "PJSIP/114-1", "01632960123", "SIP/a-out-3", "SIP/*-out-*  none internal"),
        ("07700900456", "PJSIP/trunk-1", "02079460100", "PJSIP/114-2", "  +447700900456 mobile"),
        ("anonymous", "PJSIP/trunk-1", "02079460100", "PJSIP/114-2", "  none ordinary"),
    ] {
        let Mediated::Call(call) = mediator.mediate(&asterisk(calling, ingress, dialled, egress)) else { panic!() };
        let shown = call.shown.map_or("none".to_owned(), |number| number.to_string());
        let trunk = String::from_utf8_lossy(call.trunk);
        let told = format!("{trunk} {} {shown} {}", call.access.line, call.calling_class.name());
        assert_eq!(told, expected, "{calling} {ingress} {egress}");
    }
}

#[test]
fn a_line_that_was_met_before_is_what_it_is_by_itself() {
    let mediators = ["Europe/London", "UTC"].map(|zone| mediator(zone, with_trunks()));
    // Another source's extensions are other ones.
    let other = SitePlan {
        country: "GB".to_owned(),
        area_code: Some(digits("121")),
        outside_line: Vec::new(),
        extensions: vec![ExtensionRange { from: digits("1000"), to: digits("1999") }],
    };
    let plan = DialPlan::compile(&other, &Countries::embedded()).unwrap();
    let other = Mediator::new(SourceId(4), SiteId(6), Zone::utc(), plan, with_trunks());
    let mut lines = Lines::default();
    let mut calls = 0;
    for _ in 0..2 {
        for peer in ["114", "115", "1141", "11411411", "anna", "trunk", ""] {
            for calling in ["02079460000", "02079460001", "07700900456", "114", "1141", "115", "anonymous", ""] {
                let ingress: &str = Box::leak(format!("PJSIP/{peer}-00000001").into());
                for (dialled, egress) in [("901632960123", "PJSIP/trunk-00000002"), ("115", "PJSIP/115-00000002")] {
                    let cdr = Cdr { peer: peer.as_bytes(), ..asterisk(calling, ingress, dialled, egress) };
                    for mediator in mediators.iter().chain([&other]) {
                        let known = format!("{:?}", mediator.mediate_one_of(&cdr, &mut lines));
                        assert_eq!(known, format!("{:?}", mediator.mediate(&cdr)), "{peer} {calling}");
                        calls += usize::from(known.starts_with("Call("));
                    }
                }
            }
        }
    }
    assert_eq!(calls, 2 * 7 * 8 * 2 * 3);
}

#[test]
fn devices_and_partitions_tell_which_way_a_cucm_call_went() {
    const PHONE: &str = "SEP001122334455";
    let settings = SourceSettings {
        inside_partitions: vec!["OnNet".to_owned()],
        phones: vec!["Lobby-*".to_owned()],
        ..SourceSettings::default()
    };
    for (cdr, expected) in [
        (cucm("114", PHONE, "902079460958", "GW-A", ("OnNet", "PSTN")), "outbound 114 → +442079460958 by 114"),
        (cucm("01632960001", "GW-A", "105", "CSFUSER", ("", "OnNet")), "inbound +441632960001 → 105"),
        (cucm("114", PHONE, "105", "ATA001122334455", ("", "")), "internal 114 → 105 by 114"),
        (cucm("114", "Recorder", "105", "Recorder", ("OnNet", "onnet")), "internal 114 → 105 by 114"),
        (cucm("114", "", "902079460958", "", ("", "")), "outbound 114 → +442079460958 by 114"),
        // A device with a name of its own: a caller in a partition is inside; a called one must be listed.
        (cucm("114", "DEVICE-001", "902079460958", "GW-A", ("MAIN", "PSTN")), "outbound 114 → +442079460958 by 114"),
        (cucm("01632960001", "GW-A", "105", "DEVICE-001", ("", "MAIN")), "unknown +441632960001 → 105"),
        (cucm("01632960001", "GW-A", "105", "Lobby-1", ("", "MAIN")), "inbound +441632960001 → 105"),
        // A file without partitions.
        (
            Cdr { partitions: None, ..cucm("114", PHONE, "902079460958", "GW-A", ("", "")) },
            "outbound 114 → +442079460958 by 114",
        ),
        (Cdr { partitions: None, ..cucm("114", PHONE, "105", PHONE, ("", "")) }, "internal 114 → 105 by 114"),
        // What was dialled cannot be read: what went out can.
        (
            Cdr { outpulsed: b"02079460958", ..cucm("114", PHONE, "7902079460958", "GW-A", ("", "")) },
            "outbound 114 → +442079460958 by 114",
        ),
        // Dialled 9999: the emergency number, whatever was sent.
        (Cdr { outpulsed: b"999", ..cucm("114", PHONE, "9999", "GW-A", ("", "")) }, "outbound 114 → 999 by 114"),
        // 105 sends a caller outside on to a mobile.
        (
            Cdr {
                forwarder: b"105",
                reached: b"907700900123",
                ..cucm("01632960001", "GW-A", "105", "GW-A", ("", "PSTN"))
            },
            "forwarded +441632960001 → +447700900123 by 105 via 105",
        ),
        // 105 sends its colleague 114 on to a mobile: 105 placed the part that costs.
        (
            Cdr { forwarder: b"105", reached: b"907700900123", ..cucm("114", PHONE, "105", "GW-A", ("OnNet", "PSTN")) },
            "outbound 114 → +447700900123 by 105 via 105",
        ),
    ] {
        check(settings.clone(), cdr, expected);
    }
}

#[test]
fn conference_legs_inside_are_no_calls_and_outside_wait_for_their_own() {
    let leg = |participant: &'static str, ingress: &'static str| Cdr {
        kind: Kind::Conference { controller: b"114", participant: participant.as_bytes(), leg: [b""; 2] },
        ..cucm(participant, ingress, "b001", "CFB_2", ("", ""))
    };
    let mediator = mediator("Europe/London", SourceSettings::default());
    let bridges = Cdr { calling: b"b002", ..leg("", "CFB_1") };
    for inside in [leg("105", "SEP001122334455"), leg("b002", "CFB_1"), bridges, leg("2999", "SEP001122334455")] {
        assert!(matches!(mediator.mediate(&inside), Mediated::NotACall(NotACall::ConferenceLeg)), "{inside:?}");
    }
    for outside in [leg("01632960001", "GW-A"), leg("anonymous", "GW-A"), leg("", "GW-A")] {
        let Mediated::Suspended(call, reason) = mediator.mediate(&outside) else { panic!("{outside:?}") };
        assert_eq!(reason.code(), "mediation.conference_leg_unlinked");
        assert_eq!((call.calling, call.extension), (Party::Extension(digits("114")), Some(digits("114"))));
    }
    let recording = Cdr { kind: Kind::NotACall(NotACall::Recording), ..NONE };
    assert!(matches!(mediator.mediate(&recording), Mediated::NotACall(NotACall::Recording)));
}

#[test]
fn answered_means_that_talk_time_ran() {
    let mediator = mediator("Europe/London", with_trunks());
    let of = |answered: bool, talk: i64| {
        let cdr = asterisk("114", "PJSIP/114-01", "902079460958", "PJSIP/trunk-02");
        let cdr = Cdr { answered, talk: Duration::from_seconds(talk), ..cdr };
        let Mediated::Call(call) = mediator.mediate(&cdr) else { panic!() };
        (call.answered, call.answered_at.is_some(), call.duration.as_millis())
    };
    assert_eq!(of(true, 60), (true, true, 60_000));
    assert_eq!(of(true, 0), (false, true, 0), "ANSWERED with no seconds");
    assert_eq!(of(false, 60), (false, false, 60_000), "NO ANSWER with seconds");
}

/// One line of a table of times: `setup answer end epoch duration talk`, `-` for what is not there.
fn check_times(zone: &str, fields: &str, charging: &str, other: Option<&str>) {
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [setup, answer, end, epoch, duration, talk] = fields[..] else { panic!("{fields:?}") };
    let stamp = |text: &str| LocalTime::parse(text.as_bytes()).map(Stamp::Local);
    let seconds = |text: &str| text.parse().ok().map(Duration::from_seconds);
    let cdr = Cdr {
        setup: stamp(setup),
        answer: stamp(answer),
        end: stamp(end),
        epoch: Instant::parse_rfc3339(epoch),
        duration: seconds(duration),
        talk: seconds(talk).unwrap_or(Duration::ZERO),
        answered: talk != "-",
        ..NONE
    };
    let mediator = mediator(zone, SourceSettings::default());
    let Mediated::Call(call) = mediator.mediate(&cdr) else { panic!() };
    assert_eq!(call.charging_at.to_rfc3339(), charging, "{zone} {fields:?}");
    assert_eq!(call.other_reading.map(Instant::to_rfc3339).as_deref(), other, "{zone} {fields:?}");
    assert_eq!(call.answered_at.is_some(), cdr.answered);

    let reread = mediator.reread(call);
    match call.other_reading {
        None => assert_eq!(reread.charging_at, call.charging_at),
        Some(later) => {
            assert!(later > call.charging_at, "the earlier reading is taken");
            let moved = later.since(call.charging_at);
            assert_eq!(reread.charging_at, later);
            assert_eq!(reread.setup_at, call.setup_at.map(|at| at.plus(moved)));
            assert_eq!(reread.answered_at, call.answered_at.map(|at| at.plus(moved)));
            assert_eq!(mediator.reread(reread).charging_at, call.charging_at);
        }
    }
}

#[test]
fn the_repeated_hour_is_settled_by_the_epoch_then_by_the_arithmetic() {
    // 25 October 2026: at 02:00 British summer time clocks go back to 01:00. 01:30 is 00:30Z, then 01:30Z.
    let london =
        |fields: &str, charging: &str, other: Option<&str>| check_times("Europe/London", fields, charging, other);
    let both = Some("2026-10-25T01:30:10Z");
    // No evidence: set-up and a duration, 10 s of ringing.
    london("2026-10-25T01:30:00 - - - 70 60", "2026-10-25T00:30:10Z", both);
    // Epoch of the unique id.
    london("2026-10-25T01:30:00 - - 2026-10-25T00:30:00Z 70 60", "2026-10-25T00:30:10Z", None);
    london("2026-10-25T01:30:00 - - 2026-10-25T01:29:58Z 70 60", "2026-10-25T01:30:10Z", None);
    // An epoch that is hours off is no evidence.
    london("2026-10-25T01:30:00 - - 2026-10-25T09:00:00Z 70 60", "2026-10-25T00:30:10Z", both);
    // Set-up, answer and end all inside the hour agree with each other either way.
    london("2026-10-25T01:30:00 2026-10-25T01:30:10 2026-10-25T01:31:10 - 70 60", "2026-10-25T00:30:10Z", both);
    london(
        "2026-10-25T01:30:00 2026-10-25T01:30:10 2026-10-25T01:31:10 2026-10-25T01:30:00Z 70 60",
        "2026-10-25T01:30:10Z",
        None,
    );
    // Without durations, too: the least ringing is the likeliest.
    london("2026-10-25T01:30:00 2026-10-25T01:30:10 - - - 60", "2026-10-25T00:30:10Z", both);
    // The end lies after the hour: 01:50 + 20 min = 02:10 GMT = 02:10Z, so the second 01:50.
    london("2026-10-25T01:50:00 - 2026-10-25T02:10:00 - 1200 1200", "2026-10-25T01:50:00Z", None);
    // The change lies inside the call: 01:50 summer time + 20 min shows 01:10 GMT.
    london("2026-10-25T01:50:00 - 2026-10-25T01:10:00 - 1200 1200", "2026-10-25T00:50:00Z", None);
    // The change lies inside the ringing: set up 01:59:55 summer time, answered 01:00:05 GMT = 01:00:05Z.
    london("2026-10-25T01:59:55 2026-10-25T01:00:05 - - 70 60", "2026-10-25T01:00:05Z", None);
    // The set-up is before the hour and settles the answer: 00:59:55 summer time, answered 01:00:05 summer time.
    london("2026-10-25T00:59:55 2026-10-25T01:00:05 - - 70 60", "2026-10-25T00:00:05Z", None);
    // 80 minutes: from the first 01:30 the end shows 01:50, which is also in doubt, and settles both.
    london("2026-10-25T01:30:00 - 2026-10-25T01:50:00 - 4800 4800", "2026-10-25T00:30:00Z", None);
    // An answer that the parser reckoned on the clock face is no evidence: 01:59:55 + 10 s is not 02:00:05 GMT.
    let reckoned = "2026-10-25T01:59:55 2026-10-25T02:00:05 - - 70 60";
    london(reckoned, "2026-10-25T01:00:05Z", Some("2026-10-25T02:00:05Z"));
    let reckoned = "2026-10-25T01:59:55 2026-10-25T02:00:05 - 2026-10-25T00:59:55Z 70 60";
    london(reckoned, "2026-10-25T01:00:05Z", None);
    // A second of truncation is no contradiction.
    london("2026-10-25T01:50:00 - 2026-10-25T02:10:01 - 1200 1200", "2026-10-25T01:50:00Z", None);
    // Never answered: the set-up decides.
    london("2026-10-25T01:30:00 - - - 15 -", "2026-10-25T00:30:00Z", Some("2026-10-25T01:30:00Z"));
    // Any other hour is unique.
    london("2026-10-25T02:00:00 - - - 70 60", "2026-10-25T02:00:10Z", None);
    london("2026-10-25T00:59:00 - - - 70 60", "2026-10-24T23:59:10Z", None);

    // 1 November 2026: at 02:00 eastern daylight time clocks go back to 01:00. 01:30 is 05:30Z, then 06:30Z.
    let york =
        |fields: &str, charging: &str, other: Option<&str>| check_times("America/New_York", fields, charging, other);
    york("2026-11-01T01:30:00 - - - 70 60", "2026-11-01T05:30:10Z", Some("2026-11-01T06:30:10Z"));
    york("2026-11-01T01:30:00 - - 2026-11-01T06:30:00Z 70 60", "2026-11-01T06:30:10Z", None);
    york("2026-11-01T01:50:00 - 2026-11-01T02:10:00 - 1200 1200", "2026-11-01T06:50:00Z", None);
    // Half an hour goes back on Lord Howe Island: 5 April 2026, 02:00 to 01:30. 01:45 is 14:45Z, then 15:15Z.
    let howe = |fields: &str, charging: &str, other: Option<&str>| {
        check_times("Australia/Lord_Howe", fields, charging, other);
    };
    howe("2026-04-05T01:45:00 - - - 70 60", "2026-04-04T14:45:10Z", Some("2026-04-04T15:15:10Z"));
    howe("2026-04-05T01:45:00 - - 2026-04-04T15:15:00Z 70 60", "2026-04-04T15:15:10Z", None);
}

#[test]
fn the_missing_hour_has_two_readings_until_something_tells() {
    // 29 March 2026: at 01:00 GMT clocks go forward to 02:00. 01:30 was never shown; a switch that missed the change
    // means 01:30Z.
    let london =
        |fields: &str, charging: &str, other: Option<&str>| check_times("Europe/London", fields, charging, other);
    london("2026-03-29T01:30:00 - - - 70 60", "2026-03-29T00:30:10Z", Some("2026-03-29T01:30:10Z"));
    london("2026-03-29T01:30:00 - - 2026-03-29T01:30:00Z 70 60", "2026-03-29T01:30:10Z", None);
    // An end at 02:40 summer time is 01:40Z: ten minutes after the later reading.
    london("2026-03-29T01:30:00 - 2026-03-29T02:40:00 - 600 600", "2026-03-29T01:30:00Z", None);
    // A call across the change looks an hour longer on the wall: 00:50 GMT + 20 min shows 02:10.
    london("2026-03-29T00:50:00 - 2026-03-29T02:10:00 - 1200 1200", "2026-03-29T00:50:00Z", None);
    check_times(
        "America/New_York",
        "2026-03-08T02:30:00 - - - 70 60",
        "2026-03-08T06:30:10Z",
        Some("2026-03-08T07:30:10Z"),
    );
}

#[test]
fn what_a_record_leaves_out_is_reckoned() {
    let london = |fields: &str, charging: &str| check_times("Europe/London", fields, charging, None);
    // Answer = set-up + (duration − talk).
    london("2026-07-01T12:00:00 - - - 70 60", "2026-07-01T11:00:10Z");
    // Answer = end − talk.
    london("- - 2026-07-01T12:01:10 - - 60", "2026-07-01T11:00:10Z");
    london("2026-07-01T12:00:00 - 2026-07-01T12:01:10 - - 60", "2026-07-01T11:00:10Z");
    // Neither: the set-up.
    london("2026-07-01T12:00:00 - - - - 60", "2026-07-01T11:00:00Z");
    // The answer as written stands, even where the sums do not agree.
    london("2026-07-01T12:00:00 2026-07-01T12:00:09 2026-07-01T12:01:10 - 70 60", "2026-07-01T11:00:09Z");
    // A time in UTC needs no zone.
    let cdr = Cdr { setup: Instant::parse_rfc3339("2026-10-25T01:30:00Z").map(Stamp::Instant), ..NONE };
    let mediator = mediator("Europe/London", SourceSettings::default());
    let Mediated::Call(call) = mediator.mediate(&cdr) else { panic!() };
    assert_eq!((call.charging_at.to_rfc3339().as_str(), call.other_reading), ("2026-10-25T01:30:00Z", None));
}

fn half(pair: &'static str, second: u32, talk: i64, cdr: Cdr<'static>) -> Cdr<'static> {
    let setup = LocalTime::parse(format!("2026-07-01 12:{:02}:{:02}", second / 60, second % 60).as_bytes()).unwrap();
    Cdr {
        id: RecordId::new(0, u64::from(second)).unwrap(),
        setup: Some(Stamp::Local(setup)),
        duration: Some(Duration::from_seconds(9 + talk)),
        talk: Duration::from_seconds(talk),
        answered: talk > 0,
        kind: Kind::LocalHalf { pair: pair.as_bytes() },
        ..cdr
    }
}

fn check_assembly(settings: SourceSettings, group: &[Cdr<'_>], expected: &[&str]) {
    let verdicts: Vec<String> = mediator("Europe/London", settings)
        .assemble(group)
        .iter()
        .map(|verdict| match verdict {
            Assembled::Call(call) => format!("{} {}", line(call), call.duration),
            Assembled::MergedInto(index) => format!("into {index}"),
            Assembled::Waiting(WaitsFor::OtherHalf) => "waiting".to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(verdicts, expected);
}

const PAIR: &str = "Local/907700900123@from-internal-0000000f";
const FIRST: &str = "Local/907700900123@from-internal-0000000f;1";
const SECOND: &str = "Local/907700900123@from-internal-0000000f;2";

#[test]
fn the_half_that_went_out_stands_for_the_call_and_the_other_tells_who_called() {
    let inner = half(PAIR, 0, 60, asterisk("114", "PJSIP/114-01", "907700900123", FIRST));
    let outer = half(PAIR, 1, 58, asterisk("02079460000", SECOND, "907700900123", "PJSIP/trunk-02"));
    let called = "outbound 114 → +447700900123 by 114 58s";
    check_assembly(with_trunks(), &[inner, outer], &["into 1", called]);
    check_assembly(with_trunks(), &[outer, inner], &[called, "into 0"]);
    // Without patterns the channel names tell.
    check_assembly(SourceSettings::default(), &[inner, outer], &["into 1", called]);
}

#[test]
fn a_caller_outside_sent_on_outside_is_forwarded_by_what_was_dialled_first() {
    let outer = half(PAIR, 1, 58, asterisk("01632960001", SECOND, "907700900123", "PJSIP/trunk-02"));
    let extension = half(PAIR, 0, 60, asterisk("01632960001", "PJSIP/trunk-01", "105", FIRST));
    check_assembly(
        with_trunks(),
        &[extension, outer],
        &["into 1", "forwarded +441632960001 → +447700900123 by 105 via 105 58s"],
    );
    let ddi = half(PAIR, 0, 60, asterisk("01632960001", "PJSIP/trunk-01", "02079460105", FIRST));
    check_assembly(
        with_trunks(),
        &[ddi, outer],
        &["into 1", "forwarded +441632960001 → +447700900123 via +442079460105 58s"],
    );
    // A colleague who follows 105 to its mobile: 105 sent the call on.
    let colleague = half(PAIR, 0, 60, asterisk("114", "PJSIP/114-01", "105", FIRST));
    check_assembly(with_trunks(), &[colleague, outer], &["into 1", "outbound 114 → +447700900123 by 105 via 105 58s"]);
}

#[test]
fn a_pair_that_reached_only_an_application_is_one_call_of_its_first_half() {
    // An extension is sent to voicemail; the other half never found a way out.
    let voicemail = half(PAIR, 0, 9, asterisk("114", "SIP/114-b6", "105", FIRST));
    let nowhere = half(PAIR, 0, 0, asterisk("114", SECOND, "0", ""));
    check_assembly(SourceSettings::default(), &[nowhere, voicemail], &["into 1", "internal 114 → 105 by 114 9s"]);
    // The mobile was rung and did not answer; voicemail did. Nothing to pay for.
    let rung = half(PAIR, 1, 0, asterisk("114", SECOND, "907700900123", "PJSIP/trunk-02"));
    check_assembly(with_trunks(), &[voicemail, rung], &["internal 114 → 105 by 114 9s", "into 0"]);
}

#[test]
fn a_lone_half_is_a_call_unless_its_answer_is_somewhere_else() {
    let answered = half(PAIR, 0, 60, asterisk("114", "PJSIP/114-01", "907700900123", FIRST));
    check_assembly(with_trunks(), &[answered], &["waiting"]);
    let unanswered = half(PAIR, 0, 0, asterisk("114", "PJSIP/114-01", "105", FIRST));
    check_assembly(with_trunks(), &[unanswered], &["internal 114 → 105 by 114 0s"]);
    let outer = half(PAIR, 1, 58, asterisk("114", SECOND, "907700900123", "PJSIP/trunk-02"));
    check_assembly(
        with_trunks(),
        &[Cdr { context: b"from-internal", ..outer }],
        &["outbound 114 → +447700900123 by 114 58s"],
    );
    check_assembly(with_trunks(), &[], &[]);
}

#[test]
fn a_name_used_again_after_a_restart_is_another_pair() {
    let inner = half(PAIR, 0, 60, asterisk("114", "PJSIP/114-01", "907700900123", FIRST));
    let outer = half(PAIR, 1, 58, asterisk("114", SECOND, "907700900123", "PJSIP/trunk-02"));
    let again = |cdr: Cdr<'static>, second| half(PAIR, second, 30, cdr);
    check_assembly(
        with_trunks(),
        &[inner, again(inner, 600), outer, again(outer, 601)],
        &["into 2", "into 3", "outbound 114 → +447700900123 by 114 58s", "outbound 114 → +447700900123 by 114 30s"],
    );
    // The second pair's other half is still to come.
    check_assembly(
        with_trunks(),
        &[inner, outer, again(inner, 600)],
        &["into 1", "outbound 114 → +447700900123 by 114 58s", "waiting"],
    );
}

#[test]
fn branches_rung_together_are_one_call_of_the_one_that_answered() {
    let inner = half(PAIR, 0, 60, asterisk("01632960001", "PJSIP/trunk-01", "105", FIRST));
    let desk = half(PAIR, 1, 0, asterisk("01632960001", SECOND, "106", "PJSIP/106-03"));
    let mobile = half(PAIR, 1, 58, asterisk("01632960001", SECOND, "907700900123", "PJSIP/trunk-02"));
    check_assembly(
        with_trunks(),
        &[inner, desk, mobile],
        &["into 2", "into 2", "forwarded +441632960001 → +447700900123 by 105 via 105 58s"],
    );
}

#[test]
fn a_call_placed_by_the_switch_is_that_of_the_extension_it_rang() {
    let rang = half(PAIR, 0, 70, asterisk("", SECOND, "114", "PJSIP/114-01"));
    let placed = half(PAIR, 2, 60, asterisk("", FIRST, "907700900123", "PJSIP/trunk-02"));
    check_assembly(with_trunks(), &[rang, placed], &["into 1", "outbound 114 → +447700900123 by 114 60s"]);
}

#[test]
fn no_record_makes_it_panic_and_every_record_of_a_group_has_its_place() {
    use proptest::prelude::*;
    let text = || {
        prop_oneof![
            "[0-9+*#sb]{0,16}".prop_map(String::into_bytes),
            "(SIP|PJSIP|Local)/(trunk|1[0-9]{2}|x)-0[12](;[12])?".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..12),
        ]
    };
    // Readings around the autumn change of 2026 in London, by the half minute.
    let local = || {
        let start = LocalTime::parse(b"2026-10-24 22:00:00").unwrap().as_millis();
        prop::option::of((0..720_i64).prop_map(move |half| Stamp::Local(LocalTime::from_millis(start + half * 30_000))))
    };
    let record = (prop::array::uniform8(text()), local(), local(), local(), 0..4_000_i64, 0..4_000_i64, any::<bool>());
    let mediator = mediator("Europe/London", with_trunks());
    proptest!(ProptestConfig::with_cases(300), |(records in prop::collection::vec(record, 1..5))| {
        let group: Vec<Cdr<'_>> = records
            .iter()
            .map(|(texts, setup, answer, end, duration, talk, flag)| {
                let [calling, peer, dialled, reached, forwarder, context, ingress, egress] = texts.each_ref().map(Vec::as_slice);
                Cdr {
                    setup: *setup,
                    answer: *answer,
                    end: *end,
                    duration: flag.then_some(Duration::from_seconds(*duration)),
                    talk: Duration::from_seconds(*talk),
                    answered: *talk % 2 == 0,
                    calling, peer, dialled, reached, forwarder, context, ingress, egress,
                    partitions: (*talk % 3 == 0).then_some((context, peer)),
                    kind: Kind::LocalHalf { pair: b"Local/x" },
                    ..NONE
                }
            })
            .collect();
        for cdr in &group {
            let Mediated::Call(call) = mediator.mediate(&Cdr { kind: Kind::Call, ..*cdr }) else { panic!() };
            prop_assert!(call.other_reading.is_none_or(|other| other > call.charging_at));
            let has_time = cdr.setup.is_some() || cdr.answer.is_some() || cdr.end.is_some();
            prop_assert_eq!(call.answered_at.is_some(), cdr.answered && has_time);
            prop_assert_eq!(mediator.reread(mediator.reread(call)).charging_at, call.charging_at);
        }
        let verdicts = mediator.assemble(&group);
        prop_assert_eq!(verdicts.len(), group.len());
        for verdict in &verdicts {
            if let Assembled::MergedInto(index) = verdict {
                prop_assert!(matches!(verdicts[*index], Assembled::Call(_)));
            }
        }
    });
}

#[test]
fn a_chain_of_pairs_is_one_call() {
    const NEXT: &str = "Local/07700900123@out-00000010";
    let inner = half(PAIR, 0, 60, asterisk("114", "PJSIP/114-01", "105", FIRST));
    let middle = half(PAIR, 0, 60, asterisk("114", SECOND, "105", "Local/07700900123@out-00000010;1"));
    let outer = half(NEXT, 1, 58, asterisk("114", "Local/07700900123@out-00000010;2", "07700900123", "PJSIP/trunk-02"));
    check_assembly(
        with_trunks(),
        &[inner, middle, outer],
        &["into 2", "into 2", "outbound 114 → +447700900123 by 105 via 105 58s"],
    );
    // Grouped by the first pair alone, what went on is not here.
    check_assembly(with_trunks(), &[inner, middle], &["waiting", "waiting"]);
}
