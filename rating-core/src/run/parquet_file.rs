//! Parquet files of a stage; nothing at all where the library is built without Parquet.

#[cfg(feature = "parquet")]
pub(in crate::run) use with_parquet::{ItemisedFile, PayerEncoder, RowGroups, SiteEncoder, write};
#[cfg(not(feature = "parquet"))]
pub(in crate::run) use without_parquet::{ItemisedFile, PayerEncoder, RowGroups, SiteEncoder, write};

#[cfg(feature = "parquet")]
mod with_parquet {
    use crate::report::parquet::{self, Encoder, RowGroup, WriteError, Writer};
    use crate::report::{Batch, Itemised, View};
    use crate::run::RunError;
    use crate::run::publish::{Stage, StageFile};

    /// The disk's refusal is the disk's; anything else is a fault of this program.
    fn refused(path: &str, error: &WriteError) -> RunError {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(this) = cause {
            if let Some(error) = this.downcast_ref::<std::io::Error>() {
                let error = std::io::Error::new(error.kind(), error.to_string());
                return super::super::storage::failed("write", std::path::Path::new(path), error).into();
            }
            cause = this.source();
        }
        RunError::Internal(format!("{path}: {error}"))
    }

    /// Writes a table as one Parquet file.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub(in crate::run) fn write(stage: &Stage<'_>, path: &str, view: &View<'_>) -> Result<(), RunError> {
        // The table is small (or one payer's), so it is encoded in memory and the disk's errors stay its own.
        let bytes = parquet::write(view, Vec::new()).map_err(|error| refused(path, &error))?;
        stage.write(path, &bytes).map_err(Into::into)
    }

    /// Encoded row groups of itemised calls.
    pub(in crate::run) struct RowGroups(Vec<RowGroup>);

    fn encode(encoder: &Encoder, view: &View<'_>) -> Result<RowGroups, RunError> {
        let groups = view.row_groups().map(|group| encoder.encode(&group));
        groups.collect::<Result<_, _>>().map(RowGroups).map_err(|error| refused("itemised.parquet", &error))
    }

    /// Encodes the calls of sites, on any thread.
    pub(in crate::run) struct SiteEncoder(Encoder);

    impl SiteEncoder {
        /// An encoder for all sites.
        ///
        /// # Errors
        ///
        /// A fault of this program.
        pub(in crate::run) fn new() -> Result<Self, RunError> {
            let encoder =
                Encoder::new(&Itemised::site_schema()).map_err(|error| refused("itemised.parquet", &error))?;
            Ok(Self(encoder))
        }

        /// Encodes calls.
        ///
        /// # Errors
        ///
        /// A fault of this program.
        pub(in crate::run) fn encode(&self, batch: &Batch) -> Result<RowGroups, RunError> {
            encode(&self.0, &batch.view())
        }
    }

    /// Encodes the calls of a payer that come in parts.
    pub(in crate::run) struct PayerEncoder(Encoder);

    impl PayerEncoder {
        /// An encoder for payers.
        ///
        /// # Errors
        ///
        /// A fault of this program.
        pub(in crate::run) fn new() -> Result<Self, RunError> {
            let encoder =
                Encoder::new(&Itemised::payer_schema()).map_err(|error| refused("itemised.parquet", &error))?;
            Ok(Self(encoder))
        }

        /// Encodes calls.
        ///
        /// # Errors
        ///
        /// A fault of this program.
        pub(in crate::run) fn encode(&self, view: &View<'_>) -> Result<RowGroups, RunError> {
            encode(&self.0, view)
        }
    }

    /// Itemised calls, appended in the order of the payers or days.
    pub(in crate::run) struct ItemisedFile<'s> {
        path: String,
        writer: Writer<StageFile<'s>>,
    }

    impl<'s> ItemisedFile<'s> {
        fn create(stage: &'s Stage<'s>, path: String, encoder: &Encoder) -> Result<Self, RunError> {
            let writer = Writer::new(encoder, stage.create(&path)?).map_err(|error| refused(&path, &error))?;
            Ok(Self { path, writer })
        }

        /// Starts the file of a site.
        ///
        /// # Errors
        ///
        /// If it cannot be created.
        pub(in crate::run) fn of_site(
            stage: &'s Stage<'s>,
            path: String,
            encoder: &SiteEncoder,
        ) -> Result<Self, RunError> {
            Self::create(stage, path, &encoder.0)
        }

        /// Starts the file of a payer.
        ///
        /// # Errors
        ///
        /// If it cannot be created.
        pub(in crate::run) fn of_payer(stage: &'s Stage<'s>, path: String) -> Result<Self, RunError> {
            Self::create(stage, path, &PayerEncoder::new()?.0)
        }

        /// Appends encoded calls.
        ///
        /// # Errors
        ///
        /// If the disk refuses.
        pub(in crate::run) fn append(&mut self, groups: RowGroups) -> Result<(), RunError> {
            for group in groups.0 {
                self.writer.write(group).map_err(|error| refused(&self.path, &error))?;
            }
            Ok(())
        }

        /// Closes the file.
        ///
        /// # Errors
        ///
        /// If the disk refuses.
        pub(in crate::run) fn finish(self) -> Result<(), RunError> {
            let path = self.path;
            let file = self.writer.finish().map_err(|error| refused(&path, &error))?;
            file.finish().map_err(Into::into)
        }
    }
}

#[cfg(not(feature = "parquet"))]
mod without_parquet {
    use std::marker::PhantomData;

    use crate::report::{Batch, View};
    use crate::run::RunError;
    use crate::run::publish::Stage;

    /// Does nothing.
    ///
    /// # Errors
    ///
    /// Never.
    pub(in crate::run) fn write(_: &Stage<'_>, _: &str, _: &View<'_>) -> Result<(), RunError> {
        Ok(())
    }

    /// Nothing.
    pub(in crate::run) struct RowGroups;

    /// Encodes nothing.
    pub(in crate::run) struct SiteEncoder;

    impl SiteEncoder {
        /// Nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn new() -> Result<Self, RunError> {
            Ok(Self)
        }

        /// Does nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn encode(&self, _: &Batch) -> Result<RowGroups, RunError> {
            Ok(RowGroups)
        }
    }

    /// Encodes nothing.
    pub(in crate::run) struct PayerEncoder;

    impl PayerEncoder {
        /// Nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn new() -> Result<Self, RunError> {
            Ok(Self)
        }

        /// Does nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn encode(&self, _: &View<'_>) -> Result<RowGroups, RunError> {
            Ok(RowGroups)
        }
    }

    /// No file.
    pub(in crate::run) struct ItemisedFile<'s>(PhantomData<&'s ()>);

    impl<'s> ItemisedFile<'s> {
        /// Does nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn of_site(_: &'s Stage<'s>, _: String, _: &SiteEncoder) -> Result<Self, RunError> {
            Ok(Self(PhantomData))
        }

        /// Does nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn of_payer(_: &'s Stage<'s>, _: String) -> Result<Self, RunError> {
            Ok(Self(PhantomData))
        }

        /// Does nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn append(&mut self, _: RowGroups) -> Result<(), RunError> {
            Ok(())
        }

        /// Does nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn finish(self) -> Result<(), RunError> {
            Ok(())
        }
    }
}
