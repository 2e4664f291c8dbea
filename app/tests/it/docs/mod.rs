//! The API's description: it is there, it asks for nothing from elsewhere, and what it publishes
//! works.

mod pages;
mod samples;
