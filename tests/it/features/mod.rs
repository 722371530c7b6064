//! What warroom does, in words: a script and its transcript each.

mod alerts;
mod command;
mod life;
mod record;
