//! The service as its clients meet it: requests to its router, answers judged by status, body and headers. Tests are named
//! for the business rule they assert.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail loudly")]

mod backup;
mod charges;
mod connections;
mod contracts;
mod decommission;
mod demo;
mod desk;
mod exports;
mod first_start;
mod handling;
mod house;
mod layering;
mod mails;
mod manners;
mod migrations;
mod months;
mod numbers;
mod occupiers;
mod pages;
mod pages_months;
mod pages_occupier;
mod pages_operator;
mod pages_set_up;
mod pages_work;
mod policy;
mod portal;
mod races;
mod rates;
mod report_rules;
mod rules;
mod services;
mod sessions;
mod tariffs;
mod usage_rules;
mod work;
