//! The made-up rate deck: prefixes, their destinations, and what a destination costs.

use std::collections::BTreeMap;

use super::random::{Draws, Stream};
use crate::number::Digits;

/// What a destination is, so that a deck can state its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Numbers of the home country's towns.
    Geographic,
    /// The home country's mobile numbers.
    Mobile,
    /// Freephone and numbers for services of the home country.
    Service,
    /// Another country.
    International,
}

/// A destination and its prices. All integers; the currency is the project's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Report name, without commas or quotes.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Price a minute at peak, off-peak and weekend times, in millionths of the currency unit.
    pub rates_micro: [u64; 3],
    /// Charge per answered call, in ten-thousandths of the currency unit.
    pub connection_e4: u64,
    /// Least charge of an answered call, in ten-thousandths of the currency unit.
    pub minimum_e4: u64,
    /// First and further increment, in seconds.
    pub increments_s: (u64, u64),
}

/// A row of the deck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    /// Leading digits of the international number, 1 to 9 of them.
    pub digits: Digits,
    /// Index into [`Deck::destinations`].
    pub destination: u32,
}

/// The deck: every prefix once, in the order of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deck {
    /// Where calls go, by index.
    pub destinations: Vec<Destination>,
    /// Rows, sorted as text.
    pub prefixes: Vec<Prefix>,
    /// Break-out prefixes of each country in [`COUNTRIES`], which numbers are drawn from.
    pub(super) break_outs: Vec<Vec<Digits>>,
}

/// Country codes (ITU-T E.164 assignments), the ones called most first; without the home country (44) and without
/// satellites and other shared codes, for which a deck must state prices of its own.
pub(super) const COUNTRIES: [u64; 205] = [
    1, 353, 33, 49, 34, 39, 31, 32, 91, 48, 351, 41, 61, 92, 43, 46, 47, 45, 30, 40, 90, 27, 852, 65, 86, 81, 55, 52,
    64, 60, 63, 66, 62, 82, 84, 971, 972, 966, 20, 212, 234, 233, 254, 880, 94, 7, 380, 36, 420, 421, 385, 386, 381,
    359, 370, 371, 372, 358, 352, 354, 356, 357, 350, 355, 373, 374, 375, 376, 377, 378, 382, 383, 387, 389, 423, 51,
    53, 54, 56, 57, 58, 93, 95, 98, 211, 213, 216, 218, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231,
    232, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 248, 249, 250, 251, 252, 253, 255, 256, 257, 258, 260,
    261, 262, 263, 264, 265, 266, 267, 268, 269, 290, 291, 297, 298, 299, 500, 501, 502, 503, 504, 505, 506, 507, 508,
    509, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599, 670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682,
    683, 685, 686, 687, 688, 689, 690, 691, 692, 850, 853, 855, 856, 886, 960, 961, 962, 963, 964, 965, 967, 968, 970,
    973, 974, 975, 976, 977, 992, 993, 994, 995, 996, 998, 246, 247,
];

/// Freephone and service ranges of the home country, as dialled.
pub(super) const SERVICES: [&str; 9] = ["0800", "0808", "0843", "0844", "0845", "0870", "0871", "0330", "0345"];

/// First digits after `07` of numbers that are mobiles: not 070 (personal numbers) and not 076 (pagers).
pub(super) const MOBILE_DIGITS: [u64; 8] = [1, 2, 3, 4, 5, 7, 8, 9];

/// Area codes of the home country that numbers are drawn from, without the leading 0: `1200` to `1835`, except the one
/// that the operator's own numbers are in.
pub(super) const AREA_CODES: u64 = 635;
pub(super) const OWN_AREA: u64 = 1632;

/// The fewest prefixes a deck can have: one for each country, town area, mobile digit and service.
pub(super) const FEWEST: u32 = 205 + 635 + 8 + 9;

pub(super) const fn area_code(index: u64) -> u64 {
    let code = 1_200 + index;
    if code >= OWN_AREA { code + 1 } else { code }
}

/// Area codes of the +1 countries that numbers are drawn from: `N1X`, no toll-free, premium or personal ones.
pub(super) const fn north_american_area(index: u64) -> u64 {
    const FIRST: [u64; 4] = [2, 3, 4, 6];
    FIRST[(index / 72 % 4) as usize] * 100 + (index / 9 % 8) * 10 + index % 9 + 1
}
pub(super) const NORTH_AMERICAN_AREAS: u64 = 288;

impl Deck {
    pub(super) fn new(seed: u64, size: u32) -> Self {
        let mut builder = Builder { seed, names: BTreeMap::new(), rows: BTreeMap::new() };
        let size = u64::from(size.max(FEWEST));
        builder.home_roots();
        for code in COUNTRIES {
            builder.add(code, Kind::International, format!("+{code}"));
        }
        let spare = size - builder.rows.len() as u64;
        // Of 60,000 prefixes, 2,600 are mobile blocks and 16,425 are North American; the rest are break-outs elsewhere.
        builder.mobile_blocks(spare * 44 / 1_000);
        builder.north_america(spare * 278 / 1_000);
        let mut break_outs = vec![Vec::new(); COUNTRIES.len()];
        builder.break_outs(size, &mut break_outs);
        builder.finish(break_outs)
    }
}

struct Builder {
    seed: u64,
    names: BTreeMap<String, Kind>,
    rows: BTreeMap<String, (Digits, String)>,
}

impl Builder {
    /// Adds a row unless its prefix is there already; whether it was new.
    fn add(&mut self, prefix: u64, kind: Kind, name: String) -> bool {
        let text = prefix.to_string();
        let Some(digits) = Digits::parse(text.as_bytes()) else { return false };
        if self.rows.contains_key(&text) {
            return false;
        }
        self.rows.insert(text, (digits, name.clone()));
        self.names.insert(name, kind);
        true
    }

    fn home_roots(&mut self) {
        for index in 0..AREA_CODES {
            self.add(440_000 + area_code(index), Kind::Geographic, "UK geographic".to_owned());
        }
        for digit in MOBILE_DIGITS {
            self.add(4_470 + digit, Kind::Mobile, format!("UK mobile 7{digit}"));
        }
        for service in SERVICES {
            let prefix = service.bytes().skip(1).fold(44, |prefix, digit| prefix * 10 + u64::from(digit - b'0'));
            self.add(prefix, Kind::Service, format!("UK service {service}"));
        }
    }

    /// Blocks of 5 to 8 digits, each sold to one of twenty networks.
    fn mobile_blocks(&mut self, count: u64) {
        let mut draws = Draws::new(self.seed, Stream::Prefix, 44);
        let mut missing = count;
        for _ in 0..count * 8 {
            if missing == 0 {
                break;
            }
            let digit = MOBILE_DIGITS[draws.below(8) as usize];
            let more = 1 + draws.below(4) as u32;
            let prefix = (4_470 + digit) * 10_u64.pow(more) + draws.below(10_u64.pow(more));
            let network = draws.below(20) + 1;
            missing -= u64::from(self.add(prefix, Kind::Mobile, format!("UK mobile network {network}")));
        }
    }

    /// Area codes, then exchanges (area code and three digits).
    fn north_america(&mut self, count: u64) {
        let areas = count.min(NORTH_AMERICAN_AREAS);
        for index in 0..areas {
            let area = north_american_area(index);
            self.add(1_000 + area, Kind::International, format!("+1 area {area}"));
        }
        let mut draws = Draws::new(self.seed, Stream::Prefix, 1);
        let mut missing = count - areas;
        for _ in 0..count * 8 {
            if missing == 0 {
                break;
            }
            let area = north_american_area(draws.below(NORTH_AMERICAN_AREAS));
            let exchange = 200 + draws.below(800);
            // Every sixth exchange has a price of its own, the others that of one of the area's three zones.
            let name = if draws.below(6) == 0 {
                format!("+1 exchange {area} {exchange}")
            } else {
                format!("+1 area {area} zone {}", draws.below(3) + 1)
            };
            missing -= u64::from(self.add(1_000_000 + area * 1_000 + exchange, Kind::International, name));
        }
    }

    /// Break-outs of 1 to 6 digits below a country code, until the deck has `size` rows.
    fn break_outs(&mut self, size: u64, break_outs: &mut [Vec<Digits>]) {
        // Break-outs with 1, 2, ... 6 digits per hundred: most decks are thick at three to five.
        const LENGTHS: [(u64, u32); 6] = [(4, 1), (18, 2), (40, 3), (62, 4), (81, 5), (100, 6)];
        let mut draws = Draws::new(self.seed, Stream::Prefix, 2);
        for _ in 0..size * 8 {
            if self.rows.len() as u64 >= size {
                break;
            }
            // The first country's are done.
            let index = 1 + draws.below_skewed(COUNTRIES.len() as u64 - 1) as usize;
            let code = COUNTRIES[index];
            let percent = draws.below(100);
            let length = LENGTHS.iter().find(|(upto, _)| percent < *upto).map_or(3, |(_, length)| *length);
            let rest = draws.below(10_u64.pow(length - 1));
            let prefix = (code * 10 + national_digit(code, &mut draws)) * 10_u64.pow(length - 1) + rest;
            let group = draws.below(30);
            let name = if group < 10 { format!("+{code} mobile {group}") } else { format!("+{code} area {group}") };
            if self.add(prefix, Kind::International, name)
                && let Some(digits) = Digits::parse(prefix.to_string().as_bytes())
            {
                break_outs[index].push(digits);
            }
        }
    }

    fn finish(self, break_outs: Vec<Vec<Digits>>) -> Deck {
        let ids: BTreeMap<&String, u32> = self.names.keys().zip(0..).collect();
        let prefixes = self.rows.values().filter_map(|(digits, name)| {
            ids.get(name).map(|destination| Prefix { digits: *digits, destination: *destination })
        });
        let destinations = self.names.iter().zip(0..).map(|((name, kind), id)| priced(self.seed, id, name, *kind));
        Deck { prefixes: prefixes.collect(), destinations: destinations.collect(), break_outs }
    }
}

/// The first national digit of an ordinary (not premium, not shared) number of a country: 2 to 7, but in Italy, where
/// towns begin with 0 and mobiles with 3, Ireland, where no area code begins with 3, and San Marino, where 7 is premium.
pub(super) const fn national_digit(code: u64, draws: &mut Draws) -> u64 {
    match code {
        39 => 3 * draws.below(2),
        353 => 4 + draws.below(4),
        378 => 5 + draws.below(2),
        _ => 2 + draws.below(6),
    }
}

fn priced(seed: u64, id: u64, name: &str, kind: Kind) -> Destination {
    let mut draws = Draws::new(seed, Stream::Destination, id);
    // Pence a minute: towns 0.5 to 1.5, mobiles 2 to 12, services 1 to 15, abroad 1 to 60.
    let (least, most) = match kind {
        Kind::Geographic => (5_000, 15_000),
        Kind::Mobile => (20_000, 120_000),
        Kind::Service => (10_000, 150_000),
        Kind::International => (10_000, 600_000),
    };
    let peak = least + draws.below(most - least);
    let increments_s = match draws.below(4) {
        0 => (60, 60),
        1 => (30, 6),
        _ => (1, 1),
    };
    Destination {
        name: name.to_owned(),
        kind,
        rates_micro: [peak, peak * (70 + draws.below(20)) / 100, peak * (50 + draws.below(20)) / 100],
        connection_e4: draws.below(500),
        minimum_e4: draws.below(300),
        increments_s,
    }
}
