//! What warroom does, in words: a script and its transcript each.

mod alerts;
mod approval;
mod board;
mod call_back;
mod codes;
mod command;
mod demands;
mod elsewhere;
mod legal;
mod life;
mod paging;
mod paging_ahead;
mod paging_desk;
mod paging_kept;
mod paging_quiet;
mod paging_relief;
mod paging_shift;
mod paging_unheard;
pub mod paging_world;
mod quiet_hours;
mod record;
mod silences;
mod talk;
mod talk_kept;
mod talk_late;
mod talk_press;
mod talk_word;
