//! The signature of what we post: HMAC-SHA-256 over the raw body.
//!
//! Invariants:
//! - Every secret signs, so that a receiver can change to a new one before the old one goes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::text::hex;

/// The header that carries the signatures.
pub const SIGNATURE: &str = "x-warroom-signature";

/// HMAC-SHA-256 (RFC 2104) of a body, in hexadecimal.
pub fn hmac_sha256(key: &[u8], body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("invariant: HMAC takes keys of any length");
    mac.update(body);
    hex(mac.finalize().into_bytes().as_slice())
}

/// The header's value: `v1=<hex>` once per secret, in the order of the plan, with commas.
pub fn signature<'a>(secrets: impl Iterator<Item = &'a [u8]>, body: &[u8]) -> Option<String> {
    let parts: Vec<String> = secrets.map(|key| format!("v1={}", hmac_sha256(key, body))).collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test cases 1, 2, 3, 6 and 7 of RFC 4231, 4.
    #[test]
    fn agrees_with_the_published_vectors() {
        let long: &[u8] = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let longer: &[u8] = b"This is a test using a larger than block-size key and a larger than \
block-size data. The key needs to be hashed before being used by the HMAC algorithm.";
        let table: [(&[u8], &[u8], &str); 5] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 20],
                &[0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                &[0xaa; 131],
                long,
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &[0xaa; 131],
                longer,
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, data, expected) in table {
            assert_eq!(hmac_sha256(key, data), expected);
        }
    }

    #[test]
    fn every_secret_signs() {
        let keys: [&[u8]; 2] = [b"old", b"new"];
        let value = signature(keys.into_iter(), b"{}").expect("two signatures");
        let parts: Vec<&str> = value.split(',').collect();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[1], format!("v1={}", hmac_sha256(b"new", b"{}")));
        assert_eq!(signature(std::iter::empty(), b"{}"), None);
    }
}
