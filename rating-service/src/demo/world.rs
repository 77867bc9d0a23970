//! Who is in the demo: sites, occupiers, what they rent, and how many numbers each has.

/// A site with its switch.
pub(super) struct Place {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) zone: &'static str,
    pub(super) country: &'static str,
    pub(super) area: &'static str,
    pub(super) holidays: &'static str,
    /// Its switch.
    pub(super) switch: &'static str,
    /// Its first number, without the `+`, and how many there are.
    pub(super) numbers: (u64, u64),
    /// Its first extension: extensions and numbers count up together.
    pub(super) extension: u64,
    /// What its calls are charged by.
    pub(super) tariffs: [(&'static str, &'static str); 2],
}

/// The sites.
pub(super) const PLACES: [Place; 3] = [
    Place {
        id: "ldn",
        name: "London, Harbour House",
        zone: "Europe/London",
        country: "GB",
        area: "20",
        holidays: "GB-ENG",
        switch: "ldn-pbx",
        numbers: (442_079_460_100, 60),
        extension: 2000,
        tariffs: [("retail", "retail-gb"), ("wholesale", "wholesale-gb")],
    },
    Place {
        id: "man",
        name: "Manchester, Canal Mill",
        zone: "Europe/London",
        country: "GB",
        area: "161",
        holidays: "GB-ENG",
        switch: "man-pbx",
        numbers: (441_614_960_100, 40),
        extension: 3000,
        tariffs: [("retail", "retail-gb"), ("wholesale", "wholesale-eu")],
    },
    Place {
        id: "nyc",
        name: "New York, Pier 12",
        zone: "America/New_York",
        country: "US",
        area: "212",
        holidays: "US",
        switch: "nyc-pbx",
        numbers: (12_125_550_100, 40),
        extension: 4000,
        tariffs: [("retail", "retail-us"), ("wholesale", "wholesale-us")],
    },
];

/// An occupier.
pub(super) struct Tenant {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) contact: &'static str,
}

const fn tenant(id: &'static str, name: &'static str, contact: &'static str) -> Tenant {
    Tenant { id, name, kind: "residential", contact }
}

/// The occupiers.
pub(super) const TENANTS: [Tenant; 12] = [
    tenant("acme", "Acme Robotics Ltd", "Alice Archer"),
    tenant("bluefin", "Bluefin Partners LLP", "Brian Bell"),
    tenant("cedar", "Cedar Architects", "Chloe Clarke"),
    tenant("dynamo", "Dynamo Media Ltd", "Dev Das"),
    tenant("elm", "Elm & Oak Solicitors", "Esther Eze"),
    tenant("foxglove", "Foxglove Games Ltd", "Finn Fox"),
    tenant("granite", "Granite Surveyors", "Grace Gill"),
    tenant("hudson", "Hudson Analytics Inc.", "Henry Hill"),
    tenant("ivory", "Ivory Gallery", "Ines Ito"),
    tenant("juniper", "Juniper Capital LLC", "Jack Jones"),
    Tenant { id: "kestrel", name: "Kestrel Travel", kind: "virtual", contact: "Kate King" },
    tenant("lumen", "Lumen Biotech Ltd", "Liam Lowe"),
];

/// An occupier at a site: how many months ago it moved in (none: it is about to, next month), its lines, and where its
/// numbers begin, counted from the site's first.
pub(super) struct Lease {
    pub(super) tenant: &'static str,
    pub(super) place: &'static str,
    pub(super) months_ago: Option<u32>,
    pub(super) lines: u64,
    pub(super) offset: u64,
}

const fn lease(tenant: &'static str, place: &'static str, months_ago: u32, lines: u64, offset: u64) -> Lease {
    Lease { tenant, place, months_ago: Some(months_ago), lines, offset }
}

/// Who rents where.
pub(super) const LEASES: [Lease; 13] = [
    lease("acme", "ldn", 14, 12, 0),
    lease("bluefin", "ldn", 11, 8, 12),
    lease("cedar", "ldn", 6, 4, 20),
    lease("dynamo", "ldn", 3, 8, 24),
    lease("kestrel", "ldn", 5, 1, 34),
    lease("elm", "man", 13, 5, 0),
    lease("foxglove", "man", 9, 6, 5),
    lease("granite", "man", 2, 3, 11),
    Lease { tenant: "lumen", place: "man", months_ago: None, lines: 6, offset: 14 },
    lease("hudson", "nyc", 12, 8, 0),
    lease("ivory", "nyc", 4, 3, 8),
    lease("juniper", "nyc", 7, 5, 11),
    lease("acme", "nyc", 8, 3, 16),
];

/// The main number of Acme: its site, and counted from the site's first.
pub(super) const MAIN: (&str, u64) = ("ldn", 0);
/// The operator's own phones in London, reception among them: the first, counted from the site's, and how many.
pub(super) const OWN: (u64, u64) = (50, 4);
/// Numbers that Dynamo has reserved in London beyond its lines.
pub(super) const RESERVED: (u64, u64) = (32, 2);
/// Numbers in London that are kept for a prospect.
pub(super) const HELD: (u64, u64) = (40, 4);
/// Numbers that Bluefin gave up in London: they cool off.
pub(super) const GIVEN_UP: (u64, u64) = (18, 2);

impl Place {
    /// A number of the site, counted from its first, without the `+`.
    pub(super) const fn number(&self, offset: u64) -> u64 {
        self.numbers.0 + offset
    }

    /// The offsets of the phones that are used there.
    pub(super) fn phones(&self) -> Vec<u64> {
        let own = Some(OWN).filter(|_| self.id == "ldn").into_iter().map(|(first, count)| first..first + count);
        let theirs = LEASES
            .iter()
            .filter(|lease| lease.place == self.id && lease.months_ago.is_some())
            .map(|lease| lease.offset..lease.offset + lease.lines);
        theirs.chain(own).flatten().collect()
    }
}
