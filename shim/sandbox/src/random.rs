//! Random texts.

/// `length` characters of URL-safe base64.
pub(crate) fn random_text(random: &mut fastrand::Rng, length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..length)
        .filter_map(|_| random.choice(ALPHABET))
        .map(|byte| char::from(*byte))
        .collect()
}
