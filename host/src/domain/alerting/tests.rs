//! The rules of the mails: each as a scenario, and all of them on random weeks.

mod rules;
mod stillness;
mod weeks;
mod world;
