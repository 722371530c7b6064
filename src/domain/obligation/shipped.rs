//! The obligations that come with the program.
//!
//! Invariants:
//! - Each file is read and checked by the tests; a file is named here or it does not exist.

use super::rule::{BadRule, Rule};

macro_rules! shipped {
    ($($file:literal),+ $(,)?) => {
        /// Name and text of each shipped data file.
        pub const SHIPPED: &[(&str, &str)] =
            &[$(($file, include_str!(concat!("../../../assets/obligations/", $file)))),+];
    };
}

shipped! {
    "cert-in.toml", "circia.toml", "cra-incident.toml", "cra-vulnerability.toml", "dora.toml",
    "gdpr-controller.toml", "gdpr-processor.toml", "hipaa-associate.toml", "hipaa.toml",
    "nis2.toml", "nydfs.toml", "pci.toml", "sec-8k.toml", "uk-gdpr.toml", "us-bank-provider.toml",
    "us-banking.toml",
}

/// The shipped rules.
pub fn shipped() -> Result<Vec<Rule>, BadRule> {
    SHIPPED.iter().map(|(file, text)| Rule::read(file, text)).collect()
}
