//! Where what was worked on in parallel comes together, in order.

use crate::aggregation::{Aggregate, Bills, PayerKey};
use crate::ids::SiteId;
use crate::report::csv;
use crate::report::{Report, View, charges_by_occupier, margins, site_destinations};
use crate::run::RunError;
use crate::run::parquet_file::{ItemisedFile, PayerEncoder, RowGroups, SiteEncoder};
use crate::run::publish::StageFile;

use super::units::Share;
use super::{Context, SecondPass};

/// What came of a unit.
pub(super) struct Done {
    pub(super) site: SiteId,
    pub(super) rows: RowGroups,
    pub(super) found: SecondPass,
    /// The share of a payer that is cut by days.
    pub(super) part: Option<PayerPart>,
}

/// Some days of a payer.
pub(super) struct PayerPart {
    key: PayerKey,
    first: bool,
    last: bool,
    sums: Aggregate,
    bills: Bills,
    /// The calls one by one, in each form of CSV asked for.
    csv: Vec<Vec<u8>>,
    parquet: Option<RowGroups>,
}

impl PayerPart {
    /// Writes the calls of a share, if they are to be shown one by one.
    pub(super) fn new(
        context: &Context<'_>,
        share: &Share,
        key: PayerKey,
        sums: Aggregate,
        bills: Bills,
        view: Option<&View<'_>>,
    ) -> Result<Self, RunError> {
        let mut part = Self {
            key,
            first: share.from.is_none(),
            last: share.until.is_none(),
            sums,
            bills,
            csv: Vec::new(),
            parquet: None,
        };
        if let Some(view) = view {
            for profile in context.itemised_profiles() {
                let mut bytes = Vec::new();
                if part.first {
                    csv::write_header(view, profile, &mut bytes);
                }
                csv::write_rows(view, profile, &mut bytes);
                part.csv.push(bytes);
            }
            if context.itemised_parquet() {
                part.parquet = Some(PayerEncoder::new()?.encode(view)?);
            }
        }
        Ok(part)
    }
}

/// A payer whose calls come in parts.
struct OpenPayer<'s> {
    sums: Aggregate,
    bills: Bills,
    /// In the order of the profiles.
    csv: Vec<StageFile<'s>>,
    parquet: Option<ItemisedFile<'s>>,
}

/// A site whose calls come in units.
struct OpenSite<'s> {
    site: SiteId,
    itemised: ItemisedFile<'s>,
    found: SecondPass,
}

/// Appends and adds up.
pub(super) struct Sink<'s, 'c> {
    context: &'s Context<'c>,
    encoder: &'s SiteEncoder,
    site: Option<OpenSite<'s>>,
    payer: Option<OpenPayer<'s>>,
    found: SecondPass,
}

impl<'s, 'c> Sink<'s, 'c> {
    pub(super) fn new(context: &'s Context<'c>, encoder: &'s SiteEncoder) -> Self {
        Self { context, encoder, site: None, payer: None, found: SecondPass::default() }
    }

    /// Adds the next unit.
    pub(super) fn add(&mut self, done: Done) -> Result<(), RunError> {
        if self.site.as_ref().is_some_and(|site| site.site != done.site) {
            self.close_site()?;
        }
        let mut found = done.found;
        if let Some(part) = done.part {
            self.part(part, &mut found)?;
        }
        let site = match &mut self.site {
            Some(site) => site,
            none => {
                let path = format!("{}/itemised.parquet", self.context.site_folder(done.site));
                let itemised = ItemisedFile::of_site(self.context.stage, path, self.encoder)?;
                none.insert(OpenSite { site: done.site, itemised, found: SecondPass::default() })
            }
        };
        site.itemised.append(done.rows)?;
        site.found = std::mem::take(&mut site.found).merge(found);
        Ok(())
    }

    /// All that was found.
    pub(super) fn finish(mut self) -> Result<SecondPass, RunError> {
        self.close_site()?;
        Ok(self.found)
    }

    fn close_site(&mut self) -> Result<(), RunError> {
        let Some(OpenSite { site, itemised, mut found }) = self.site.take() else { return Ok(()) };
        itemised.finish()?;
        let (context, sums, names) = (self.context, &found.aggregate, self.context.names);
        let listing = sums.listing();
        context.site_files(site, Report::CallCharges, &charges_by_occupier(sums, names, Some(site)).view())?;
        context.site_files(site, Report::Destinations, &site_destinations(&listing, names, site).view())?;
        context.site_files(site, Report::Margin, &margins(&listing, names, site).view())?;
        found.aggregate.condense().map_err(|imbalance| RunError::Unbalanced(imbalance.to_string()))?;
        self.found = std::mem::take(&mut self.found).merge(found);
        Ok(())
    }

    /// Adds some days of a payer; at its last, what is written of all its calls.
    fn part(&mut self, part: PayerPart, found: &mut SecondPass) -> Result<(), RunError> {
        let context = self.context;
        if part.first {
            let endings = context.profiles().filter(|_| !part.csv.is_empty());
            let csv = endings.map(|(_, ending)| context.stage.create(&context.itemised_path(part.key, ending)));
            let path = || context.itemised_path(part.key, "parquet");
            let parquet = part.parquet.as_ref().map(|_| ItemisedFile::of_payer(context.stage, path()));
            self.payer = Some(OpenPayer {
                sums: Aggregate::new(),
                bills: Bills::default(),
                csv: csv.collect::<Result<_, _>>()?,
                parquet: parquet.transpose()?,
            });
        }
        let Some(payer) = &mut self.payer else {
            return Err(RunError::Internal("days of a payer without the first".to_owned()));
        };
        for (file, bytes) in payer.csv.iter_mut().zip(part.csv) {
            file.put(&bytes)?;
        }
        if let (Some(file), Some(rows)) = (&mut payer.parquet, part.parquet) {
            file.append(rows)?;
        }
        payer.sums = std::mem::take(&mut payer.sums).merge(part.sums);
        payer.bills.merge(part.bills);
        if part.last
            && let Some(payer) = self.payer.take()
        {
            for file in payer.csv {
                file.finish()?;
            }
            if let Some(file) = payer.parquet {
                file.finish()?;
            }
            context.payer_summaries(part.key, &payer.sums, payer.bills, found)?;
            found.aggregate = std::mem::take(&mut found.aggregate).merge(payer.sums);
        }
        Ok(())
    }
}
