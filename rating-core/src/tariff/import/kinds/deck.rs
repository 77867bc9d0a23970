//! Any A–Z deck: columns are recognised by their headers, or by the order that the request gives.

use super::super::Fault;
use super::super::cells::{self, Read, Standing};
use super::super::columns::{Schema, Spec};
use super::super::offer::{Key, Offer};
use super::{Cells, Profile, Shared, Units, prices};

const BANDS: &[(&str, &str)] = &[("peak", "price_peak"), ("offpeak", "price_offpeak"), ("weekend", "price_weekend")];

const SCHEMA: Schema = Schema {
    columns: &[
        Spec {
            field: "code",
            names: &[
                "code",
                "codes",
                "prefix",
                "prefixes",
                "dial code",
                "dial codes",
                "dialcode",
                "dialcodes",
                "dialing code",
                "dialing codes",
                "dialling code",
                "dialling codes",
                "dst code",
                "dst codes",
                "destination code",
                "destination codes",
                "destination prefix",
                "destination prefixes",
                "dial prefix",
                "dialprefix",
                "phone prefix",
                "telephone prefix",
                "match prefix",
                "number prefix",
                "dialed digits",
                "digits",
                "e 164",
                "breakout",
                "breakouts",
                "vorwahl",
                "codice",
                "indicatif",
            ],
        },
        Spec {
            field: "area",
            names: &[
                "area code",
                "area codes",
                "city code",
                "city codes",
                "national code",
                "ndc",
                "subcode",
                "sub code",
            ],
        },
        Spec {
            field: "country_code",
            names: &["country code", "country codes", "countrycode", "country dial code", "idd"],
        },
        Spec {
            field: "destination",
            names: &[
                "destination",
                "destinations",
                "destination name",
                "dst name",
                "dest",
                "description",
                "name",
                "zone",
                "location",
                "breakout name",
                "area",
                "carrier name",
                "network",
                "ziel",
                "destinazione",
            ],
        },
        Spec { field: "country", names: &["country", "country name", "land", "paese"] },
        Spec {
            field: "price",
            names: &[
                "rate",
                "rates",
                "price",
                "prices",
                "cost",
                "new rate",
                "new price",
                "current rate",
                "current price",
                "rate min",
                "price min",
                "cost min",
                "rate minute",
                "price minute",
                "cost minute",
                "rate per minute",
                "price per minute",
                "cost per minute",
                "per minute",
                "per min",
                "rate per min",
                "price per min",
                "rate usd",
                "rate eur",
                "rate gbp",
                "price usd",
                "price eur",
                "price gbp",
                "usd min",
                "eur min",
                "gbp min",
                "voice rate",
                "call rate",
                "preis",
                "prezzo",
                "tariff",
                "interrate",
            ],
        },
        Spec { field: "price_peak", names: &["peak", "peak rate", "peak price", "peak per minute", "peak rate min"] },
        Spec {
            field: "price_offpeak",
            names: &[
                "off peak",
                "offpeak",
                "off peak rate",
                "offpeak rate",
                "off peak price",
                "offpeak price",
                "off peak per minute",
                "offpeak per minute",
            ],
        },
        Spec { field: "price_weekend", names: &["weekend", "weekend rate", "weekend price", "weekend per minute"] },
        Spec {
            field: "connection",
            names: &[
                "connection",
                "connection fee",
                "connection cost",
                "connection charge",
                "connect fee",
                "connect charge",
                "connect cost",
                "connect",
                "setup fee",
                "set up fee",
                "setup charge",
                "set up charge",
                "setup",
                "set up",
                "cost on call",
                "call set up charge",
                "surcharge",
                "flagfall",
            ],
        },
        Spec {
            field: "minimum",
            names: &["minimum charge", "minimum cost", "min charge", "min cost", "minimum price"],
        },
        Spec {
            field: "maximum",
            names: &["maximum charge", "maximum cost", "max charge", "max cost", "maximum price"],
        },
        Spec {
            field: "first",
            names: &[
                "first interval",
                "initial interval",
                "initial increment",
                "first increment",
                "minimum duration",
                "min duration",
                "minimum time",
                "min time",
                "initial period",
                "first period",
            ],
        },
        Spec {
            field: "further",
            names: &[
                "sub interval",
                "next interval",
                "subsequent interval",
                "further increment",
                "next increment",
                "additional increment",
                "subsequent increment",
                "additional period",
                "next period",
            ],
        },
        Spec {
            field: "increments",
            names: &[
                "increments",
                "increment",
                "billing increment",
                "billing increments",
                "bill increment",
                "billing interval",
                "billing",
                "rounding",
                "rounding rules",
                "charging interval",
                "intervals",
                "interval",
                "taktung",
                "takt",
                "min increment",
                "minimum increment",
                "min incr",
            ],
        },
        Spec {
            field: "from",
            names: &[
                "effective date",
                "effective",
                "effective from",
                "effective time",
                "valid from",
                "start date",
                "start",
                "activation date",
                "from",
                "from date",
                "date",
                "begin date",
                "validity",
                "gueltig ab",
                "gültig ab",
                "data attivazione",
            ],
        },
        Spec {
            field: "until",
            names: &[
                "end date",
                "end",
                "expiry",
                "expiry date",
                "expiration",
                "expiration date",
                "expires",
                "valid to",
                "valid until",
                "valid till",
                "effective till",
                "effective to",
                "until",
                "until date",
                "stop date",
                "to date",
                "gültig bis",
                "gueltig bis",
            ],
        },
        Spec {
            field: "status",
            names: &["status", "rate status", "change", "change type", "rate change", "action", "code status", "state"],
        },
        Spec {
            field: "origin",
            names: &[
                "origin",
                "origin codes",
                "origination",
                "origination codes",
                "origination prefixes",
                "src code",
                "src codes",
            ],
        },
        Spec { field: "currency", names: &["currency", "curr", "währung", "valuta"] },
    ],
    required: &[&["code", "country_code", "area"], &["price", "price_peak"]],
    unused: &[
        ("old rate", "the price before this deck"),
        ("old price", "the price before this deck"),
        ("previous rate", "the price before this deck"),
        ("previous price", "the price before this deck"),
        ("comment", "a remark"),
        ("comments", "a remark"),
        ("notes", "a remark"),
        ("continent", "the prefix says more"),
        ("iso", "the prefix says more"),
    ],
    order: &[],
};

pub(super) fn profile() -> Profile {
    Profile {
        schema: SCHEMA,
        units: Units::Asked,
        increments: None,
        bands: BANDS,
        keys,
        terms,
        finish: super::nothing_more,
        notes: &[],
        amounts: &["price", "price_peak", "price_offpeak", "price_weekend", "connection", "minimum", "maximum"],
        starts: "from",
        ends: "until",
        ends_outside: false,
    }
}

fn keys(cells: &Cells<'_>, shared: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
    let field = if cells.has("code") { "code" } else { "area" };
    if !cells.has(field) {
        return cells.prefixes("country_code", None, shared, keys);
    }
    if !cells.has("country_code") || !shared.codes_follow_country {
        return cells.prefixes(field, None, shared, keys);
    }
    let country = cells.text("country_code").trim_start_matches('+');
    if country.is_empty() || country.starts_with('0') || !country.bytes().all(|byte| byte.is_ascii_digit()) {
        let fault =
            Fault::new("import.bad_code", format!("`{country}` is not a country code"), "write its digits: `44`, `+1`");
        return cells.at("country_code", Err(fault));
    }
    cells.prefixes(field, Some(country), shared, keys)
}

fn terms(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    let (destination, country) = (cells.text("destination"), cells.text("country"));
    let name = if destination.is_empty() { country } else { destination };
    name.clone_into(&mut offer.destination);
    let currency = cells.text("currency");
    if !currency.is_empty() && currency != cells.conventions.currency.code() {
        let help = format!("a file has one currency, and this one is imported in {}", cells.conventions.currency);
        let fault = Fault::new("import.other_currency", format!("the row is in `{currency}`"), help);
        return cells.at("currency", Err(fault));
    }
    cells.dates("from", "until", offer)?;
    offer.standing = cells.at("status", cells::standing(cells.text("status"), cells.request))?;
    if offer.standing == Standing::Closed {
        return Ok(());
    }
    let origin = cells.text("origin");
    if !origin.is_empty() {
        cells.at("origin", cells::codes(origin, None, cells.conventions.strip.as_deref(), &mut shared.code_scratch))?;
        let prefixes = std::mem::take(&mut shared.code_scratch);
        offer.conditions.origin = Some(shared.zone(prefixes, "origin"));
    }
    prices(cells, shared, BANDS, Standing::Unknown, offer)?;
    offer.terms.connection = cells.fee("connection")?;
    offer.terms.minimum = cells.fee("minimum")?;
    offer.terms.maximum = cells.fee("maximum")?;
    offer.terms.increments = if cells.has("further") || cells.has("first") {
        // `Initial Increment` beside `Increment`: the second is the further one.
        let further = if cells.has("further") { "further" } else { "increments" };
        cells.increment_pair("first", further, 0, 0)?
    } else if cells.text("increments").is_empty() {
        None
    } else {
        Some(cells.at("increments", cells::increments(cells.text("increments")))?)
    };
    Ok(())
}
