//! `rating import` and `rating deck-diff`: other systems' decks into ours, and two decks side by side.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use rating_core::finding::SourceText;
use rating_core::tariff::import::{
    Change, Comparison, Counts, DateOrder, Decimal, Ends, Fault, ImportError, Imported, InputFile, Kind, Merged,
    Reject, Request, Side, Weight, compare, import as read, merge_into,
};

use super::run::{counted, thousands};
use super::terminal::{complain, line};
use super::{Exit, fancy, findings, import_cgrates, say};

/// How many rejects of one code are shown.
const SHOWN: usize = 3;
/// How many changes are shown unless more are asked for.
const CHANGES: usize = 10;

/// Arguments of `rating import`.
#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    /// Whose files they are
    #[arg(value_parser = kinds())]
    kind: System,
    /// The files, whose rows become one deck; for cgrates, the folder
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where the settings and the deck are written [default: the current folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The settings file of a tariff whose deck takes the import in: old rows end where new ones begin
    #[arg(long, value_name = "TOML", conflicts_with = "out")]
    into: Option<PathBuf>,
    /// With --into: what the import does not name ends too
    #[arg(long, requires = "into")]
    whole: bool,
    /// Write; without it, nothing is written and what would be is shown
    #[arg(long)]
    write: bool,
    /// Write although rows are rejected
    #[arg(long)]
    with_rejects: bool,
    /// Write the rejected rows, with the reasons, to this CSV file
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Id of the tariff; its files are named after it [with --into: the tariff's]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// ISO 4217 code
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// From when the prices hold: a date, or an instant with its offset
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// What the file's prices are counted in: p/min, GBP/min, ct/min, USD/s
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// What its connection and minimum charges are counted in [default: the money of --unit]
    #[arg(long, value_name = "UNIT")]
    fees: Option<String>,
    /// First and further increment where the file has none: 60/60, 30/6, 1/1
    #[arg(long, value_name = "SECONDS")]
    increments: Option<String>,
    /// Whose clock the file's times of day show; becomes the tariff's
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Hours of a band: 'peak=mon-fri 08:00-18:00'; a band may be given several times
    #[arg(long = "band", value_name = "NAME=TIMES", value_parser = pair)]
    bands: Vec<(String, String)>,
    /// A TOML file with more settings for the tariff: bands, holidays, rounding
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A column whose header is not recognised: 'price=New Rate', 'code=#3'; '-' for none
    #[arg(long = "column", value_name = "OURS=THEIRS", value_parser = pair)]
    columns: Vec<(String, String)>,
    /// The order of the columns of a file without a header: 'code,destination,-,price'
    #[arg(long = "columns", value_name = "LIST", value_delimiter = ',')]
    order: Vec<String>,
    /// The decimal sign, if the numbers do not show it
    #[arg(long, value_name = "SIGN", value_parser = decimals())]
    decimal: Option<Decimal>,
    /// The order of numbers in dates, if the dates do not show it
    #[arg(long, value_name = "ORDER", value_parser = date_orders())]
    dates: Option<DateOrder>,
    /// Whether a row still holds on its end date
    #[arg(long, value_name = "HOW", value_parser = end_rules())]
    ends: Option<Ends>,
    /// What stands before a code and is no part of it
    #[arg(long, value_name = "DIGITS")]
    strip: Option<String>,
    /// Only rows whose column has this text: 'ratedeck_id=gold'
    #[arg(long, value_name = "COLUMN=TEXT", value_parser = pair)]
    only: Vec<(String, String)>,
    /// Which weight wins between rows of one prefix (kazoo)
    #[arg(long, value_name = "WHICH", value_parser = weights())]
    weight: Option<Weight>,
    /// Take what the carrier charges, where a file has both sides
    #[arg(long)]
    cost: bool,
    /// Names to prefixes (CSV: name,prefix), for a file that has names alone
    #[arg(long, value_name = "FILE")]
    codes: Option<PathBuf>,
    /// What a word in the status column means: 'Pending=offered'
    #[arg(long = "status", value_name = "THEIRS=OURS", value_parser = pair)]
    statuses: Vec<(String, String)>,
    /// How many changes of price are shown
    #[arg(long, value_name = "N", default_value_t = CHANGES)]
    changes: usize,
    /// The outcome as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Arguments of `rating deck-diff`.
#[derive(Debug, Args)]
pub(super) struct DeckDiffArguments {
    /// The older deck (CSV), or the settings file of its tariff (TOML)
    old: PathBuf,
    /// The newer one
    new: PathBuf,
    /// Compare what is in force then [default: the rows that have no end]
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// How many changes are shown
    #[arg(long, value_name = "N", default_value_t = CHANGES)]
    changes: usize,
    /// The comparison as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Another system: one whose files are decks, or CGRateS.
#[derive(Clone, Copy, Debug)]
enum System {
    Deck(Kind),
    Cgrates,
}

fn kinds() -> impl TypedValueParser<Value = System> {
    let mut names: Vec<&str> = Kind::ALL.map(Kind::name).to_vec();
    names.push("cgrates");
    names.sort_unstable();
    PossibleValuesParser::new(names).map(|name| Kind::from_name(&name).map_or(System::Cgrates, System::Deck))
}

fn decimals() -> impl TypedValueParser<Value = Decimal> {
    PossibleValuesParser::new(["point", "comma"])
        .map(|name| if name == "comma" { Decimal::Comma } else { Decimal::Point })
}

fn date_orders() -> impl TypedValueParser<Value = DateOrder> {
    PossibleValuesParser::new(["dmy", "mdy"])
        .map(|name| if name == "mdy" { DateOrder::MonthFirst } else { DateOrder::DayFirst })
}

fn end_rules() -> impl TypedValueParser<Value = Ends> {
    PossibleValuesParser::new(["last-day", "first-day-outside"])
        .map(|name| if name == "last-day" { Ends::LastDay } else { Ends::FirstOutside })
}

fn weights() -> impl TypedValueParser<Value = Weight> {
    PossibleValuesParser::new(["higher", "lower"])
        .map(|name| if name == "lower" { Weight::Lower } else { Weight::Higher })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (left, right) = text.split_once('=').ok_or_else(|| "write NAME=VALUE".to_owned())?;
    Ok((left.trim().to_owned(), right.trim().to_owned()))
}

fn show(path: &Path) -> String {
    line(&path.display().to_string())
}

/// Reads a file, or says why not.
fn open(path: &Path) -> Result<InputFile, Exit> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(InputFile { name: path.display().to_string(), bytes }),
        Err(error) => {
            complain(&format!("error: cannot read `{}`: {error}\n", show(path)));
            Err(Exit::Storage)
        }
    }
}

fn open_text(path: &Path) -> Result<Arc<SourceText>, Exit> {
    let file = open(path)?;
    match String::from_utf8(file.bytes) {
        Ok(text) => Ok(SourceText::new(file.name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            complain(&format!("error: `{}` is not UTF-8: byte {at}\n", show(path)));
            Err(Exit::Invalid)
        }
    }
}

pub(super) fn import(arguments: &ImportArguments) -> Exit {
    let done = match arguments.kind {
        System::Deck(kind) => run(arguments, kind),
        System::Cgrates => cgrates(arguments),
    };
    match done {
        Ok(exit) | Err(exit) => exit,
    }
}

fn cgrates(arguments: &ImportArguments) -> Result<Exit, Exit> {
    let ([folder], None) = (arguments.files.as_slice(), &arguments.into) else {
        complain("error: cgrates is imported from one folder, into another (--out)\n");
        return Err(Exit::Usage);
    };
    let request = import_cgrates::Request {
        folder,
        out: arguments.out.as_deref().unwrap_or(Path::new("")),
        currency: arguments.currency.as_deref(),
        zone: arguments.zone.as_deref(),
        write: arguments.write,
        with_rejects: arguments.with_rejects,
        json: arguments.json,
    };
    import_cgrates::import(&request, &store)
}

fn run(arguments: &ImportArguments, kind: Kind) -> Result<Exit, Exit> {
    let files = arguments.files.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut request = Request::new(kind, files);
    request.currency.clone_from(&arguments.currency);
    request.from.clone_from(&arguments.from);
    request.unit.clone_from(&arguments.unit);
    request.fees.clone_from(&arguments.fees);
    request.increments.clone_from(&arguments.increments);
    request.zone.clone_from(&arguments.zone);
    request.bands.clone_from(&arguments.bands);
    request.columns.clone_from(&arguments.columns);
    request.order.clone_from(&arguments.order);
    request.strip.clone_from(&arguments.strip);
    request.only.clone_from(&arguments.only);
    request.statuses.clone_from(&arguments.statuses);
    request.id.clone_from(&arguments.id);
    (request.decimal, request.dates, request.ends) = (arguments.decimal, arguments.dates, arguments.ends);
    (request.weight, request.cost) = (arguments.weight, arguments.cost);
    if let Some(path) = &arguments.settings {
        request.settings = Some(open_text(path)?.text.clone());
    }
    if let Some(path) = &arguments.codes {
        request.codes = Some(open(path)?);
    }
    if arguments.into.is_some() {
        // The id names no file here.
        request.id.get_or_insert_with(|| "import".to_owned());
    }
    let imported = read(&request).map_err(|error| fail(&error, &request.files, arguments.json))?;
    if let Some(path) = &arguments.rejects {
        store(path, &rejects_table(&imported.rejects, &request.files))?;
    }
    let target = arguments.into.as_deref().map(Target::open).transpose()?;
    let merged = match &target {
        None => None,
        Some(target) => Some(
            merge_into(&imported, &target.settings, &target.deck, arguments.whole, &mut |name| target.load(name))
                .map_err(|error| fail(&error, &request.files, arguments.json))?,
        ),
    };
    let refused = merged.as_ref().map_or(0, |merged| merged.refused.len());
    let rejected = !imported.rejects.is_empty() || refused > 0;
    let outputs = outputs(arguments, &imported, target.as_ref(), merged.as_ref());
    let writes = arguments.write && (arguments.with_rejects || !rejected);
    if writes {
        if arguments.into.is_none()
            && let Some((path, _)) = outputs.iter().find(|(path, _)| path.exists())
        {
            let help = "use --into to bring prices up to date, or another folder";
            complain(&format!("error: `{}` is there already; {help}\n", show(path)));
            return Err(Exit::Usage);
        }
        for (path, text) in &outputs {
            store(path, text)?;
        }
    }
    let exit = if rejected && !(arguments.write && arguments.with_rejects) { Exit::AboveLimit } else { Exit::Ok };
    if arguments.json {
        let document = json(&imported, merged.as_ref(), &request.files, &outputs, writes);
        return Ok(say(&format!("{document:#}\n"), exit));
    }
    complain(&findings::render(&imported.findings, fancy()));
    let mut text = report(kind, &imported, &request.files);
    if let Some(merged) = &merged {
        text.push('\n');
        comparison(&merged.comparison, arguments.changes, &mut text);
        for fault in merged.refused.iter().take(CHANGES) {
            let _ = writeln!(
                text,
                "\nnot put in[{}]: {}\n  = help: {}",
                fault.code,
                line(&fault.message),
                line(&fault.help)
            );
        }
    }
    text.push('\n');
    for (path, content) in &outputs {
        let verb = if writes { "wrote" } else { "would write" };
        let _ = writeln!(text, "{verb} {} ({})", show(path), counted(content.lines().count() as u64, "line"));
    }
    if outputs.is_empty() {
        let _ = writeln!(text, "nothing to write");
    } else if !arguments.write {
        let _ = writeln!(text, "dry run: nothing was written; --write writes");
    } else if !writes {
        let _ = writeln!(text, "nothing was written: rows are rejected; mend them, or say --with-rejects");
    }
    Ok(say(&text, exit))
}

/// The tariff that an import goes into.
struct Target {
    folder: PathBuf,
    settings: Arc<SourceText>,
    deck: Arc<SourceText>,
    settings_path: PathBuf,
    deck_path: PathBuf,
}

impl Target {
    fn open(path: &Path) -> Result<Self, Exit> {
        if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
            complain("error: --into names the settings file of the tariff (TOML), which says the unit of its deck\n");
            return Err(Exit::Usage);
        }
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let settings = SourceText::new(name, open_text(path)?.text.clone());
        let decks = decks_of(&settings);
        let [deck] = decks.as_slice() else {
            let shown = show(path);
            complain(&format!("error: `{shown}` names {} decks; an import goes into a tariff of one\n", decks.len()));
            return Err(Exit::Usage);
        };
        let deck_path = folder.join(deck);
        let deck = SourceText::new(deck.as_str(), open_text(&deck_path)?.text.clone());
        Ok(Self { folder, settings, deck, settings_path: path.to_owned(), deck_path })
    }

    fn load(&self, name: &str) -> Option<Arc<SourceText>> {
        let text = std::fs::read_to_string(self.folder.join(name)).ok()?;
        Some(SourceText::new(name, text))
    }
}

/// The decks that a settings file names.
fn decks_of(settings: &Arc<SourceText>) -> Vec<String> {
    let mut findings = rating_core::finding::Findings::default();
    let section = rating_core::finding::settings::Section::parse(settings, &mut findings);
    section.texts("decks", &mut findings).into_iter().map(|name| name.value).collect()
}

fn outputs(
    arguments: &ImportArguments,
    imported: &Imported,
    target: Option<&Target>,
    merged: Option<&Merged>,
) -> Vec<(PathBuf, String)> {
    if let (Some(target), Some(merged)) = (target, merged) {
        let settings = merged.settings_changed.then(|| (target.settings_path.clone(), merged.settings.text.clone()));
        let deck = merged.deck_changed.then(|| (target.deck_path.clone(), merged.deck.text.clone()));
        return settings.into_iter().chain(deck).collect();
    }
    if imported.counts.written == 0 {
        return Vec::new();
    }
    let folder = arguments.out.clone().unwrap_or_default();
    [&imported.settings, &imported.deck].map(|file| (folder.join(&file.name), file.text.clone())).into()
}

/// Writes a file beside its name first, so that a full disk leaves the old one as it was.
fn store(path: &Path, text: &str) -> Result<(), Exit> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| {
        complain(&format!("error: cannot write `{}`: {error}\n", show(path)));
        Exit::Storage
    })
}

fn place(fault: &Fault, files: &[InputFile]) -> String {
    let name = files.get(usize::from(fault.place.file)).map_or("", |file| file.name.as_str());
    let mut text = line(name);
    if fault.place.line > 0 {
        let _ = write!(text, ":{}", fault.place.line);
    }
    if let Some(column) = &fault.place.column {
        let _ = write!(text, ", column {}", line(column));
    }
    text
}

/// Exit code and message of an import that came to nothing.
fn fail(error: &ImportError, files: &[InputFile], as_json: bool) -> Exit {
    const QUESTIONS: [&str; 14] = [
        "import.id_needed",
        "import.from_needed",
        "import.currency_needed",
        "import.unit_needed",
        "import.unit_conflict",
        "import.increments_needed",
        "import.bands_needed",
        "import.zone_needed",
        "import.dates_unclear",
        "import.ends_unclear",
        "import.decimal_unclear",
        "import.codes_unclear",
        "import.column_ambiguous",
        "import.bad_column",
    ];
    let (exit, document) = match error {
        ImportError::Faults(faults) => {
            let only_questions = faults.iter().all(|fault| QUESTIONS.contains(&fault.code));
            let exit = if only_questions { Exit::Usage } else { Exit::Invalid };
            if !as_json {
                for fault in faults {
                    complain(&shown_fault("error", fault, None, files));
                }
            }
            let faults: Vec<serde_json::Value> = faults.iter().map(|fault| json_fault(fault, files)).collect();
            (exit, serde_json::json!({ "faults": faults }))
        }
        ImportError::Refused(found) => {
            if !as_json {
                complain(&findings::render(found, fancy()));
                complain("error: what was made of the file is not accepted; nothing was written\n");
            }
            (Exit::Invalid, serde_json::json!({ "findings": findings::json(found) }))
        }
        other => {
            complain(&format!("error: internal error: {other}; nothing was written\n"));
            (Exit::Internal, serde_json::json!({ "error": other.to_string() }))
        }
    };
    if as_json { say(&format!("{document:#}\n"), exit) } else { exit }
}

fn shown_fault(word: &str, fault: &Fault, raw: Option<&str>, files: &[InputFile]) -> String {
    let mut text = format!("{word}[{}]: {}\n", fault.code, line(&fault.message));
    let place = place(fault, files);
    if fault.place.line > 0 || raw.is_some() || files.len() > 1 {
        let _ = writeln!(text, " --> {place}");
    }
    if let Some(raw) = raw {
        let first = raw.lines().next().unwrap_or("");
        let short: String = first.chars().take(100).collect();
        let more = if short.len() < raw.len() { "\u{2026}" } else { "" };
        let _ = writeln!(text, "  | {}{more}", line(&short.replace('\t', " ")));
    }
    for (at, help) in fault.help.lines().enumerate() {
        let _ = writeln!(text, "  {} {}", if at == 0 { "= help:" } else { "       " }, line(help));
    }
    text
}

fn figure(text: &mut String, name: &str, count: u64, remark: &str) {
    let _ = writeln!(text, "{}", format!("  {name:<24}{:>12}  {remark}", thousands(count)).trim_end());
}

fn report(kind: Kind, imported: &Imported, files: &[InputFile]) -> String {
    let mut text = String::new();
    for (index, file) in files.iter().enumerate() {
        let _ = writeln!(text, "{} as {}", line(&file.name), kind.name());
        let columns = || imported.columns.iter().filter(|column| usize::from(column.file) == index);
        let header = |column: &rating_core::tariff::import::ColumnUse| {
            if column.header.is_empty() { format!("#{}", column.number) } else { line(&column.header) }
        };
        let width = columns().map(|column| header(column).chars().count()).max().unwrap_or(0).min(44);
        let used_width = columns().map(|column| column.used_as.len()).max().unwrap_or(0).max(1);
        for column in columns() {
            let used = if column.used_as.is_empty() { "-" } else { &column.used_as };
            let _ = writeln!(text, "  {:<width$}  {used:<used_width$}  {}", header(column), line(&column.reason));
        }
    }
    for note in &imported.notes {
        let _ = writeln!(text, "  note: {}", line(note));
    }
    text.push('\n');
    totals(&imported.counts, &mut text);
    rejects(&imported.rejects, files, &mut text);
    text
}

fn totals(counts: &Counts, text: &mut String) {
    figure(text, "rows read", counts.read, "");
    let mut of = Vec::new();
    if counts.blocked > 0 {
        of.push(format!("{} not offered (blocked)", thousands(counts.blocked)));
    }
    if counts.unknown > 0 {
        of.push(format!("{} without a price (unknown)", thousands(counts.unknown)));
    }
    figure(text, "  imported", counts.imported, &of.join(", "));
    for (name, count) in [
        ("  identical, merged", counts.duplicates),
        ("  closed", counts.closed),
        ("  left out by --only", counts.left_out),
        ("  rejected", counts.rejected),
    ] {
        if count > 0 {
            figure(text, name, count, "");
        }
    }
    figure(text, "rows of the deck", counts.written, &format!("with {}", counted(counts.keys, "key")));
    if counts.repeated_keys > 0 {
        figure(text, "named twice in a row", counts.repeated_keys, "");
    }
}

fn rejects(rejects: &[Reject], files: &[InputFile], text: &mut String) {
    let mut by_code: BTreeMap<&str, Vec<&Reject>> = BTreeMap::new();
    for reject in rejects {
        by_code.entry(reject.fault.code).or_default().push(reject);
    }
    for (code, all) in by_code {
        for reject in all.iter().take(SHOWN) {
            text.push('\n');
            text.push_str(&shown_fault("rejected", &reject.fault, Some(&reject.raw), files));
        }
        if all.len() > SHOWN {
            let more = thousands((all.len() - SHOWN) as u64);
            let _ = writeln!(text, "and {more} more of [{code}], which --rejects FILE and --json list");
        }
    }
    let standing = rejects.iter().filter(|reject| reject.stands_as_unknown).count() as u64;
    if standing > 0 {
        let rows = counted(standing, "rejected row");
        let _ = writeln!(
            text,
            "\nprefixes of {rows} stand in the deck with the status `unknown`: calls to them are suspended, \
             and no shorter prefix prices them"
        );
    }
}

fn rejects_table(rejects: &[Reject], files: &[InputFile]) -> String {
    let mut text = String::from("file,line,column,code,message,help,row\n");
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    for reject in rejects {
        let fault = &reject.fault;
        let name = files.get(usize::from(fault.place.file)).map_or("", |file| file.name.as_str());
        let cells = [
            quoted(name),
            fault.place.line.to_string(),
            quoted(fault.place.column.as_deref().unwrap_or("")),
            fault.code.to_owned(),
            quoted(&fault.message),
            quoted(&fault.help),
            quoted(&reject.raw),
        ];
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

fn comparison(comparison: &Comparison, most: usize, text: &mut String) {
    for (name, count) in [
        ("new", comparison.new),
        ("closed", comparison.closed),
        ("up", comparison.up),
        ("down", comparison.down),
        ("changed otherwise", comparison.otherwise),
        ("unchanged", comparison.unchanged),
    ] {
        figure(text, name, count, "");
    }
    if comparison.not_named > 0 {
        figure(text, "not named, so kept", comparison.not_named, "");
    }
    if comparison.changes.is_empty() || most == 0 {
        return;
    }
    let changes: Vec<&Change> = comparison.changes.iter().take(most).collect();
    let width = |of: &dyn Fn(&Change) -> usize| changes.iter().map(|change| of(change)).max().unwrap_or(0).min(40);
    let (keys, names) =
        (width(&|change| change.key.chars().count()), width(&|change| change.destination.chars().count()));
    text.push('\n');
    for change in &changes {
        let move_text = change.permille.map_or_else(String::new, |permille| {
            let sign = if permille < 0 { "-" } else { "+" };
            format!("{sign}{}.{}%", permille.abs() / 10, permille.abs() % 10)
        });
        let arrow = match (change.old.is_empty(), change.new.is_empty()) {
            (false, false) => format!("{} -> {}", change.old, change.new),
            (true, _) => change.new.clone(),
            (_, true) => change.old.clone(),
        };
        let shown = format!(
            "  {:<7} {move_text:>8}  {:<keys$}  {:<names$}  {}",
            change.changed.name(),
            line(&change.key),
            line(&change.destination),
            line(&arrow)
        );
        let _ = writeln!(text, "{}", shown.trim_end());
    }
    if comparison.changes.len() > most {
        let more = thousands((comparison.changes.len() - most) as u64);
        let _ = writeln!(text, "  and {more} more, which --changes N and --json list");
    }
}

fn json_fault(fault: &Fault, files: &[InputFile]) -> serde_json::Value {
    serde_json::json!({
        "code": fault.code,
        "file": files.get(usize::from(fault.place.file)).map(|file| file.name.as_str()),
        "line": fault.place.line,
        "column": fault.place.column,
        "message": fault.message,
        "help": fault.help,
    })
}

fn json_comparison(comparison: &Comparison) -> serde_json::Value {
    let changes: Vec<serde_json::Value> = comparison
        .changes
        .iter()
        .map(|change| {
            serde_json::json!({
                "key": change.key, "destination": change.destination, "changed": change.changed.name(),
                "old": change.old, "new": change.new, "permille": change.permille,
            })
        })
        .collect();
    serde_json::json!({
        "new": comparison.new, "closed": comparison.closed, "up": comparison.up, "down": comparison.down,
        "otherwise": comparison.otherwise, "unchanged": comparison.unchanged, "not_named": comparison.not_named,
        "changes": changes,
    })
}

fn json(
    imported: &Imported,
    merged: Option<&Merged>,
    files: &[InputFile],
    outputs: &[(PathBuf, String)],
    written: bool,
) -> serde_json::Value {
    let counts = &imported.counts;
    let columns: Vec<serde_json::Value> = imported
        .columns
        .iter()
        .map(|column| {
            serde_json::json!({
                "file": files.get(usize::from(column.file)).map(|file| file.name.as_str()),
                "number": column.number, "header": column.header, "used_as": column.used_as, "reason": column.reason,
            })
        })
        .collect();
    let rejects: Vec<serde_json::Value> = imported
        .rejects
        .iter()
        .map(|reject| {
            let mut value = json_fault(&reject.fault, files);
            value["row"] = reject.raw.clone().into();
            value["stands_as_unknown"] = reject.stands_as_unknown.into();
            value["partly"] = reject.partly.into();
            value
        })
        .collect();
    let refused: Vec<serde_json::Value> =
        merged.iter().flat_map(|merged| &merged.refused).map(|fault| json_fault(fault, files)).collect();
    serde_json::json!({
        "rows": {
            "read": counts.read, "imported": counts.imported, "duplicates": counts.duplicates, "closed": counts.closed,
            "left_out": counts.left_out, "rejected": counts.rejected, "blocked": counts.blocked,
            "unknown": counts.unknown, "written": counts.written, "keys": counts.keys,
            "repeated_keys": counts.repeated_keys,
        },
        "columns": columns,
        "notes": imported.notes,
        "rejects": rejects,
        "refused": refused,
        "changes": merged.map(|merged| json_comparison(&merged.comparison)),
        "files": outputs.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>(),
        "written": written,
        "warnings": findings::json(&imported.findings),
    })
}

pub(super) fn deck_diff(arguments: &DeckDiffArguments) -> Exit {
    let side = |path: &Path| -> Result<Side, Exit> {
        let text = open_text(path)?;
        if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
            return Ok(Side { settings: None, decks: vec![text] });
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let decks = decks_of(&text).iter().map(|deck| open_text(&folder.join(deck))).collect::<Result<_, _>>()?;
        Ok(Side { settings: Some(text), decks })
    };
    let (old, new) = match (side(&arguments.old), side(&arguments.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let found = match compare(&old, &new, arguments.at.as_deref()) {
        Ok(found) => found,
        Err(error) => {
            let name = |path: &Path| InputFile { name: path.display().to_string(), bytes: Vec::new() };
            return fail(&error, &[name(&arguments.old), name(&arguments.new)], arguments.json);
        }
    };
    if arguments.json {
        return say(&format!("{:#}\n", json_comparison(&found)), Exit::Ok);
    }
    let mut text = format!("{} -> {}\n\n", show(&arguments.old), show(&arguments.new));
    comparison(&found, arguments.changes, &mut text);
    if old.settings.is_none() || new.settings.is_none() {
        text.push_str("\nbare numbers are compared as they are: name the settings (TOML) to compare in their units\n");
    }
    say(&text, Exit::Ok)
}
