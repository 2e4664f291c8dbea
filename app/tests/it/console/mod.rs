//! The console, as a browser without scripts sees it.

mod access;
mod branding;
mod browser;
mod dead_letters;
mod forms;
mod own_mail;
mod pages;
mod sessions;
