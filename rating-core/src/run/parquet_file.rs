//! Parquet files of a stage; nothing at all where the library is built without Parquet.

use super::RunError;
use super::publish::{Stage, StageFile};
use crate::report::{Batch, Itemised, View};

#[cfg(feature = "parquet")]
use crate::report::parquet::Writer;

/// Writes a table as one Parquet file.
///
/// # Errors
///
/// If the disk refuses.
#[cfg(feature = "parquet")]
pub fn write(stage: &Stage<'_>, path: &str, view: &View<'_>) -> Result<(), RunError> {
    let mut writer = Writer::new(stage.create(path)?, view.schema()).map_err(internal)?;
    writer.write(view).map_err(internal)?;
    writer.finish().map_err(internal)?.finish().map_err(Into::into)
}

/// Does nothing.
///
/// # Errors
///
/// Never.
#[cfg(not(feature = "parquet"))]
pub fn write(_: &Stage<'_>, _: &str, _: &View<'_>) -> Result<(), RunError> {
    Ok(())
}

/// A site's itemised calls, appended payer by payer.
pub struct ItemisedFile<'s> {
    #[cfg(feature = "parquet")]
    writer: Writer<StageFile<'s>>,
    #[cfg(not(feature = "parquet"))]
    stage: std::marker::PhantomData<StageFile<'s>>,
}

#[cfg(feature = "parquet")]
impl<'s> ItemisedFile<'s> {
    /// Starts the file.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub fn create(stage: &'s Stage<'s>, path: &str) -> Result<Self, RunError> {
        let writer = Writer::new(stage.create(path)?, &Itemised::site_schema()).map_err(internal)?;
        Ok(Self { writer })
    }

    /// Appends calls.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn append(&mut self, batch: &Batch) -> Result<(), RunError> {
        self.writer.write(&batch.view()).map_err(internal)
    }

    /// Closes the file.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn finish(self) -> Result<(), RunError> {
        self.writer.finish().map_err(internal)?.finish().map_err(Into::into)
    }
}

#[cfg(not(feature = "parquet"))]
impl<'s> ItemisedFile<'s> {
    /// Does nothing.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn create(_: &'s Stage<'s>, _: &str) -> Result<Self, RunError> {
        let _ = Itemised::site_schema;
        Ok(Self { stage: std::marker::PhantomData })
    }

    /// Does nothing.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn append(&mut self, _: &Batch) -> Result<(), RunError> {
        Ok(())
    }

    /// Does nothing.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn finish(self) -> Result<(), RunError> {
        Ok(())
    }
}
