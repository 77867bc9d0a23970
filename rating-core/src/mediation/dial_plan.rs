//! Numbering and dialling plans.
