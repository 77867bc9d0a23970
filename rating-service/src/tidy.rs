//! What pages need is made when a month is checked, previewed or published; what nothing needs any more goes. Neither is
//! anything that a run could fail by: what goes wrong is logged.

use rating_core::time::Month;

use crate::app::App;
use crate::publish::Refusal;

/// Months whose indexes are made at the start, if they are gone: a year, and the one before now.
const MONTHS: usize = 13;

fn logged(what: &str, refusal: &Refusal) {
    tracing::warn!(code = refusal.code, detail = %refusal.detail, "{what}");
}

/// Does something of the disk where it may block.
async fn blocking<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&App) -> crate::publish::Result<T> + Send + 'static,
) -> crate::publish::Result<T> {
    let owner = app.clone();
    tokio::task::spawn_blocking(move || work(&owner)).await.map_err(Refusal::internal)?
}

/// Makes the index of the calls of a run that was made just now.
pub async fn index(app: &App, month: Month, run: String) {
    let found = blocking(app, move |app| app.engine.archive().version(month, &run)).await;
    let made = match found {
        Ok(Some(version)) => app.index.make(&version).await,
        Ok(None) => Ok(()),
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = made {
        logged("the index of the calls of a month was not made; the first who looks makes it", &refusal);
    }
}

/// Removes indexes of versions that are superseded or gone, and projects that no run was made from.
pub async fn tidy(app: &App) {
    let kept = blocking(app, |app| app.index.keep_only_of(|| app.engine.archive().live())).await;
    if let Err(refusal) = kept {
        logged("indexes that nothing needs were not removed", &refusal);
    }
    if let Err(refusal) = app.engine.prune().await {
        logged("projects that no run was made from were not removed", &refusal);
    }
}

/// Tidies when nothing runs; nobody waits for it.
pub fn soon(app: &App) {
    let app = app.clone();
    tokio::spawn(async move { tidy(&app).await });
}

/// What is done at the start: tidies, then makes the indexes that are not there, of the latest months first.
pub async fn begin(app: App) {
    tidy(&app).await;
    let versions = blocking(&app, |app| {
        let archive = app.engine.archive();
        let months = archive.months()?.into_iter().take(MONTHS);
        months.map(|published| archive.in_force(published.month)).collect::<crate::publish::Result<Vec<_>>>()
    });
    let versions = match versions.await {
        Ok(versions) => versions,
        Err(refusal) => return logged("the published months cannot be listed", &refusal),
    };
    for version in versions.into_iter().flatten() {
        if let Err(refusal) = app.index.make(&version).await {
            logged("the index of the calls of a month was not made; the first who looks makes it", &refusal);
        }
    }
}
