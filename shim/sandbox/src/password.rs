//! v2's rules for passwords.

use std::ops::RangeInclusive;

use super::error::ApiError;

/// Allowed length. Longer passwords are rejected as an invalid parameter.
pub(crate) const LENGTH: RangeInclusive<usize> = 8..=32;
/// Minimum length of a run of consecutive letters or digits that makes a password a sequence.
const SEQUENCE: usize = 6;
/// Common passwords in lower case, which some spelling lets pass all other rules.
const EASY: [&str; 8] = [
    "password1",
    "password123",
    "passw0rd",
    "qwerty123",
    "welcome1",
    "welcome123",
    "letmein1",
    "iloveyou1",
];

/// # Errors
///
/// For the first rule that the password breaks.
pub(crate) fn check(password: &str, special_character_required: bool) -> Result<(), ApiError> {
    let characters: Vec<char> = password.chars().collect();
    let any = |test: fn(&char) -> bool| characters.iter().any(test);
    if characters.len() < *LENGTH.start() {
        return Err(ApiError::new("password_too_short").with("min", LENGTH.start()));
    }
    if characters.len() > *LENGTH.end() {
        return Err(ApiError::new("invalid_parameter").with("name", "password"));
    }
    let rules = [
        (
            characters
                .iter()
                .any(|character| Some(character) != characters.first()),
            "password_of_one_character",
        ),
        (!holds_sequence(&characters), "password_of_a_sequence"),
        (
            any(|character| character.is_alphabetic()),
            "password_without_letter",
        ),
        (any(char::is_ascii_digit), "password_without_digit"),
        (
            !special_character_required || any(|character| !character.is_alphanumeric()),
            "password_without_special",
        ),
        (
            any(|character| character.is_lowercase()) && any(|character| character.is_uppercase()),
            "password_of_one_case",
        ),
        (
            !EASY.contains(&password.to_lowercase().as_str()),
            "password_easy_to_guess",
        ),
    ];
    match rules.into_iter().find(|(kept, _)| !kept) {
        Some((_, broken)) => Err(ApiError::new(broken)),
        None => Ok(()),
    }
}

fn holds_sequence(characters: &[char]) -> bool {
    characters.windows(SEQUENCE).any(|window| {
        window.iter().all(char::is_ascii_alphanumeric)
            && window.iter().zip(window.iter().skip(1)).all(|(one, next)| {
                u32::from(one.to_ascii_lowercase()) + 1 == u32::from(next.to_ascii_lowercase())
            })
    })
}
