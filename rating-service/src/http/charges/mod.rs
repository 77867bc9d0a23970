//! What calls cost, for pages and programs: an occupier's months, its calls one by one, and why each costs what it costs.
//!
//! Who sees what is decided here and nowhere after: the sites, the level agreed for the occupier, the masks.

mod alerts;
mod calls;
mod ground;
mod masked;
mod occupier;
pub(super) mod operator;
mod remedies;
mod sums;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of these files.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(occupier::routes())
        .merge(calls::routes())
        .merge(operator::routes())
        .merge(alerts::routes())
}
