//! Parquet files of a stage; nothing at all where the library is built without Parquet.

#[cfg(feature = "parquet")]
pub(in crate::run) use with_parquet::{ItemisedFile, RowGroups, write};
#[cfg(not(feature = "parquet"))]
pub(in crate::run) use without_parquet::{ItemisedFile, RowGroups, write};

#[cfg(feature = "parquet")]
mod with_parquet {
    use crate::report::parquet::{self, Encoder, RowGroup, WriteError, Writer};
    use crate::report::{Batch, Itemised, ROW_GROUP_ROWS, View};
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

    /// Encoded row groups of a site's itemised calls.
    pub(in crate::run) struct RowGroups(Vec<RowGroup>);

    /// A site's itemised calls, appended in the order of the payers.
    pub(in crate::run) struct ItemisedFile<'s> {
        path: String,
        encoder: Encoder,
        writer: Writer<StageFile<'s>>,
    }

    impl<'s> ItemisedFile<'s> {
        /// Starts the file.
        ///
        /// # Errors
        ///
        /// If it cannot be created.
        pub(in crate::run) fn create(stage: &'s Stage<'s>, path: String) -> Result<Self, RunError> {
            let encoder = Encoder::new(&Itemised::site_schema()).map_err(|error| refused(&path, &error))?;
            let writer = Writer::new(&encoder, stage.create(&path)?).map_err(|error| refused(&path, &error))?;
            Ok(Self { path, encoder, writer })
        }

        /// What encodes row groups, on any thread.
        pub(in crate::run) fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        /// Encodes calls.
        ///
        /// # Errors
        ///
        /// A fault of this program.
        pub(in crate::run) fn encode(encoder: &Encoder, batch: &Batch) -> Result<RowGroups, RunError> {
            let starts = (0..batch.rows()).step_by(ROW_GROUP_ROWS);
            let groups = starts.map(|start| encoder.encode(&batch.slice(start..start + ROW_GROUP_ROWS)));
            groups.collect::<Result<_, _>>().map(RowGroups).map_err(|error| refused("itemised.parquet", &error))
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

    /// No file.
    pub(in crate::run) struct ItemisedFile<'s>(PhantomData<&'s ()>);

    impl<'s> ItemisedFile<'s> {
        /// Does nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn create(_: &'s Stage<'s>, _: String) -> Result<Self, RunError> {
            Ok(Self(PhantomData))
        }

        /// Nothing.
        pub(in crate::run) fn encoder(&self) -> &() {
            &()
        }

        /// Does nothing.
        ///
        /// # Errors
        ///
        /// Never.
        pub(in crate::run) fn encode((): &(), _: &Batch) -> Result<RowGroups, RunError> {
            Ok(RowGroups)
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
