//! What settings can name: countries, zones, formats of switches, calendars of holidays.

use rating_core::cdr::Format;
use rating_core::run;
use rating_core::time::Zone;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::{Faults, Result};
use crate::store::sources;
use crate::wire::operator::Known;
use crate::wire::sites::SiteSettings;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Lists what settings can name.
#[utoipa::path(get, path = "/api/v1/known", tag = "operator", responses(
    (status = 200, description = "What is known", body = Known)
))]
async fn show() -> axum::Json<Known> {
    axum::Json(Known {
        countries: run::countries(),
        zones: Zone::names().map(str::to_owned).collect(),
        formats: Format::ALL.into_iter().map(|format| format.name().to_owned()).collect(),
        calendars: run::calendars(),
    })
}

/// Finds what a site's settings name and nobody knows: the country of its dial plan, its calendars of holidays, which are built
/// in or files of the project.
pub(super) async fn check_site(
    on: &mut sqlx::SqliteConnection,
    settings: &SiteSettings,
    faults: &mut Faults,
) -> Result<()> {
    let countries = run::countries();
    if faults.is_empty() && !countries.contains(&settings.country) {
        let what = format!("there is no dial plan of `{}`", settings.country);
        faults.push("/country", "field.country_unknown", what, format!("known are {}", countries.join(", ")));
    }
    let files = sources::files(on).await?;
    for (index, calendar) in settings.holidays.iter().enumerate() {
        let is_known = run::holidays(calendar).is_some() || files.iter().any(|file| file.path == *calendar);
        if !is_known && !calendar.trim().is_empty() {
            let what = format!("there is no calendar `{calendar}`");
            let help = format!("known are {}, and files of the project (`calendars/…`)", run::calendars().join(", "));
            faults.push(format!("/holidays/{index}"), "field.calendar_unknown", what, help);
        }
    }
    Ok(())
}

/// Finds a format that no switch writes.
pub(super) fn check_format(format: &str, faults: &mut Faults) {
    if !format.is_empty() && Format::from_name(format).is_none() {
        let known: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
        let what = format!("there is no format `{format}`");
        faults.push("/settings/format", "field.format_unknown", what, format!("known are {}", known.join(", ")));
    }
}
