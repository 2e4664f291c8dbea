//! The console, as a browser without scripts sees it.

mod access;
mod browser;
mod forms;
mod pages;
mod sessions;
