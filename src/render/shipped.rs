//! The templates that come with the program.
//!
//! Invariants:
//! - Each file is read and checked by the tests; a file is named here or it does not exist.

use crate::domain::template::{BadTemplates, Templates};

macro_rules! shipped {
    ($($file:literal),+ $(,)?) => {
        /// Name and text of each shipped file.
        pub const SHIPPED: &[(&str, &str)] =
            &[$(($file, include_str!(concat!("../../assets/templates/", $file)))),+];
    };
}

shipped! {
    "internal-de.toml", "internal-en.toml", "partner-de.toml", "partner-en.toml",
    "public-de.toml", "public-en.toml",
}

/// The shipped templates.
pub fn shipped() -> Result<Templates, BadTemplates> {
    let mut all = Templates::default();
    for (file, text) in SHIPPED {
        all.add(file, text)?;
    }
    Ok(all)
}
