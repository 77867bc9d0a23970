//! The project's files as people would write them: settings, directory tables, tariffs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::deck::Kind;
use super::people::{Allocation, occupier_id};
use super::{Content, GeneratedFile, Project};

impl Project {
    /// Every file of the project, sorted by path.
    #[must_use]
    pub fn files(&self) -> Vec<GeneratedFile> {
        let allocations = self.allocations();
        let contracts = contracts(&allocations);
        let text = |path: &str, text: String| GeneratedFile { path: path.to_owned(), content: Content::Text(text) };
        let mut files = vec![
            text("rating.toml", self.settings()),
            text("directory/occupiers.csv", self.occupiers()),
            text("directory/contracts.csv", self.contracts(&contracts)),
            text("directory/services.csv", self.services(&contracts)),
            text("directory/numbers.csv", self.numbers()),
            text("directory/allocations.csv", self.allocation_table(&allocations)),
            text("tariffs/assignments.csv", self.assignments()),
            text("tariffs/retail.toml", self.tariff("retail", "Retail", RETAIL_BANDS)),
            text("tariffs/retail.csv", self.retail_deck()),
            text("tariffs/wholesale.toml", self.tariff("wholesale", "Wholesale", "")),
            text("tariffs/wholesale.csv", self.wholesale_deck()),
        ];
        let cdrs = self.cdr_files().into_iter();
        files.extend(cdrs.map(|file| GeneratedFile { path: file.path, content: Content::Cdrs(file.records) }));
        files.sort_by(|left, right| left.path.cmp(&right.path));
        files
    }

    fn settings(&self) -> String {
        let mut text = format!(
            "\
# Generated: {} records, seed {}.
month = \"{}\"

[operator]
id = \"operator\"
name = \"Generated Workspaces\"
currency = \"GBP\"
zone = \"Europe/London\"

[directory]
occupiers = \"directory/occupiers.csv\"
contracts = \"directory/contracts.csv\"
services = \"directory/services.csv\"
numbers = \"directory/numbers.csv\"
allocations = \"directory/allocations.csv\"

[tariffs]
files = [\"tariffs/*.toml\"]
assignments = \"tariffs/assignments.csv\"

# Every call in its site's itemised.parquet, and all summaries. For the other forms too: take these lines out.
[reports]
csv = [\"machine\"]        # and \"spreadsheet\"
itemised_csv = false       # true: each payer's calls one by one as CSV
payer_parquet = true       # each payer's summaries as Parquet, too
itemised_parquet = false   # true: and each payer's calls one by one
",
            self.plan.records, self.plan.seed, self.plan.month
        );
        for (site, number) in self.sites.iter().zip(1..) {
            let last = site.first_extension + site.numbers - 1;
            push(
                &mut text,
                format_args!(
                    "
[[site]]
id = \"{id}\"
name = \"Site {number}\"
zone = \"Europe/London\"
country = \"GB\"
area_code = \"1632\"
extensions = [\"{first}-{last}\"]

[[source]]
id = \"{id}-pbx\"
site = \"{id}\"
format = \"asterisk\"
files = [\"cdr/{id}/*.csv\"]
zone = \"UTC\"
trunks = [\"SIP/gw-*\"]
",
                    id = site.id,
                    first = site.first_extension,
                ),
            );
        }
        text
    }

    fn occupiers(&self) -> String {
        let mut text = "id,name,billing_reference\n".to_owned();
        for index in 0..self.plan.occupiers {
            push(&mut text, format_args!("{},Occupier {},B{:06}\n", occupier_id(index), index + 1, index + 1));
        }
        text
    }

    fn contracts(&self, contracts: &BTreeMap<(u64, usize), u64>) -> String {
        let mut text = "id,occupier,site,from,until\n".to_owned();
        for (occupier, site) in contracts.keys() {
            let (occupier, site) = (occupier_id(*occupier), self.site_id(*site));
            push(&mut text, format_args!("{occupier}-{site},{occupier},{site},,\n"));
        }
        text
    }

    fn services(&self, contracts: &BTreeMap<(u64, usize), u64>) -> String {
        let mut text = "id,contract,lines,from,until\n".to_owned();
        for ((occupier, site), lines) in contracts {
            let (occupier, site) = (occupier_id(*occupier), self.site_id(*site));
            push(&mut text, format_args!("{occupier}-{site}-voice,{occupier}-{site},{lines},,\n"));
        }
        text
    }

    fn numbers(&self) -> String {
        let mut text = "number,last,site,kind\n".to_owned();
        for site in &self.sites {
            let last = site.first_number + site.numbers - 1;
            push(&mut text, format_args!("+44{},+44{last},{},ddi\n", site.first_number, site.id));
        }
        text
    }

    fn allocation_table(&self, allocations: &[Allocation]) -> String {
        let mut text = "id,holder,site,number,last,extension,from,until\n".to_owned();
        for (allocation, id) in allocations.iter().zip(1..) {
            let Allocation { first_number, first_extension, numbers, .. } = *allocation;
            let date = |date: Option<crate::time::Date>| date.map_or_else(String::new, |date| date.to_string());
            push(
                &mut text,
                format_args!(
                    "a{id:06},{},{},+44{first_number},+44{},{first_extension},{},{}\n",
                    occupier_id(allocation.occupier),
                    self.site_id(allocation.site),
                    first_number + numbers - 1,
                    date(allocation.from),
                    date(allocation.until)
                ),
            );
        }
        text
    }

    fn assignments(&self) -> String {
        let from = self.tariffs_from();
        let mut text = "side,payer,site,tariff,from,until\n".to_owned();
        for side in ["retail", "wholesale"] {
            for site in &self.sites {
                push(&mut text, format_args!("{side},*,{},{side},{from},\n", site.id));
            }
        }
        text
    }

    /// The first day of the year before the month's, so that every call of the files has a price.
    fn tariffs_from(&self) -> String {
        let (year, _, _) = self.plan.month.days().0.civil();
        format!("{:04}-01-01", year - 1)
    }

    fn tariff(&self, id: &str, name: &str, bands: &str) -> String {
        format!(
            "\
id = \"{id}\"
name = \"{name}\"
currency = \"GBP\"
from = \"{}\"
decks = [\"{id}.csv\"]
prices = \"GBP/min\"
fees = \"GBP\"
rounding = {{ stage = \"call\", rule = \"half-up\", step = \"0.0001 GBP\" }}
{bands}",
            self.tariffs_from()
        )
    }

    /// Three bands, a connection charge, a minimum charge, increments by destination.
    fn retail_deck(&self) -> String {
        let mut text =
            "prefix,destination,class,price_peak,price_offpeak,price_weekend,connection,minimum,increments\n"
                .to_owned();
        for prefix in &self.deck.prefixes {
            let Some(destination) = self.deck.destinations.get(prefix.destination as usize) else { continue };
            push(&mut text, format_args!("{},{},{}", prefix.digits, destination.name, class(destination)));
            for rate in destination.rates_micro {
                push(&mut text, format_args!(",{}.{:06}", rate / 1_000_000, rate % 1_000_000));
            }
            for fee in [destination.connection_e4, destination.minimum_e4] {
                push(&mut text, format_args!(",{}.{:04}", fee / 10_000, fee % 10_000));
            }
            let (first, further) = destination.increments_s;
            push(&mut text, format_args!(",{first}/{further}\n"));
        }
        text
    }

    /// One price, less than half of the retail one at peak times, by the second.
    fn wholesale_deck(&self) -> String {
        let mut text = "prefix,destination,class,price,increments\n".to_owned();
        for prefix in &self.deck.prefixes {
            let Some(destination) = self.deck.destinations.get(prefix.destination as usize) else { continue };
            let rate = destination.rates_micro[0] * 45 / 100;
            push(
                &mut text,
                format_args!(
                    "{},{},{},{}.{:06},1/1\n",
                    prefix.digits,
                    destination.name,
                    class(destination),
                    rate / 1_000_000,
                    rate % 1_000_000
                ),
            );
        }
        text
    }

    fn site_id(&self, index: usize) -> &str {
        self.sites.get(index).map_or("", |site| &site.id)
    }
}

const RETAIL_BANDS: &str = "
[bands]
peak = [\"mon-fri 08:00-18:00\"]
offpeak = [\"mon-fri 18:00-08:00\"]
weekend = [\"sat-sun\"]
";

/// Class of the numbering plan, where the home country's plan tells it.
fn class(destination: &super::Destination) -> &'static str {
    match destination.kind {
        Kind::Geographic => "geographic",
        Kind::Mobile => "mobile",
        Kind::Service if destination.name.ends_with("0800") || destination.name.ends_with("0808") => "free",
        Kind::Service if destination.name.contains(" 03") => "non_geographic",
        Kind::Service => "service",
        Kind::International => "",
    }
}

/// Which occupier has a contract at which site, with as many lines as it ever holds numbers there.
fn contracts(allocations: &[Allocation]) -> BTreeMap<(u64, usize), u64> {
    let mut contracts = BTreeMap::new();
    for allocation in allocations {
        *contracts.entry((allocation.occupier, allocation.site)).or_default() += allocation.numbers;
    }
    contracts
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(arguments);
}
