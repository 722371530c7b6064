//! The console: keys in, intentions out, a picture of the room.
//!
//! Invariants:
//! - `update` is the only place where the model changes; what should happen in the world is
//!   returned as effects. `view` only reads.
//! - Past the keymap nobody sees a key code.
//! - Text from outside is made safe where it is drawn (`domain::text`).

pub mod action;
pub mod alert_list;
mod entries;
pub mod evidence;
pub mod filter;
pub mod flights;
pub mod form;
pub mod forms;
pub mod key;
pub mod keymap;
pub mod looking;
pub mod model;
pub mod run;
pub mod settings;
pub mod speech;
pub mod terminal;
pub mod theme;
pub mod update;
mod useful;
pub mod view;
