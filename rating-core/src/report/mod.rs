//! Fifth floor: sums and itemised rows to CSV and Parquet.
