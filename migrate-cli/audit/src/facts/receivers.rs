//! Parts of a webhook receiver in a file: of v1's push notifications, or of v2's webhooks that are
//! verified with the retired verification token.

use std::{collections::BTreeSet, ops::Range};

use memchr::memmem;

use crate::{
    facts::{
        Place,
        syntax::{Extract, Role, fold::Folded, is_within},
    },
    knowledge::Knowledge,
    language::Language,
    names::{contains_zoom, is_assigned, split_words},
    rules::{Words, has},
    source::{Lines, ceil, continues_word, floor},
};

/// Maximum distance between the word zoom and a setting behind it, in bytes.
const SECTION: usize = 400;
/// Bytes of a line before and behind a field in which its read is searched.
const READ: usize = 400;
/// Maximum number of names of notifications that a file is searched for.
const NOTIFICATIONS: usize = 500;
/// Maximum number of places of a spelling that are checked in a file.
const TOKENS: usize = 256;
/// Maximum distance between the token and the credentials that it belongs to, in bytes.
const BESIDE: usize = 160;
/// Maximum distance between the header and the scheme that is expected in it, in bytes.
const SCHEME: usize = 160;

/// Parts of a webhook receiver in a file.
#[derive(Debug, Default)]
pub(crate) struct Receiving {
    /// Names of v1's push notifications.
    pub(crate) notifications: Vec<(String, Place)>,
    /// True if the field with the notification's name is read from a form.
    pub(crate) reads_form: bool,
    /// Number of v1's other notification fields that the file names.
    pub(crate) fields: usize,
    /// True if the file names an event or a header of v2's webhooks.
    pub(crate) is_of_v2: bool,
    /// Names of the verification token, each at its first place.
    pub(crate) tokens: Vec<(String, Place)>,
}

impl Receiving {
    /// The lines with a notification or a token.
    pub(crate) fn lines(&self) -> impl Iterator<Item = usize> {
        let named = self.notifications.iter().chain(&self.tokens);
        named.map(|(_, place)| place.line)
    }
}

/// A file with its extract.
pub(crate) struct Source<'a> {
    pub(crate) path: &'a str,
    pub(crate) language: Language,
    pub(crate) text: &'a str,
    pub(crate) extract: &'a Extract,
    pub(crate) folded: &'a [Folded],
    pub(crate) lines: &'a Lines<'a>,
}

impl Source<'_> {
    /// Finds the parts of a receiver.
    pub(crate) fn receiving(&self, knowledge: &Knowledge, words: &Words) -> Receiving {
        if self.language == Language::Prose {
            return Receiving::default();
        }
        let mut found = Receiving::default();
        let has_text =
            |word: &String| memmem::find(self.text.as_bytes(), word.as_bytes()).is_some();
        found.is_of_v2 = knowledge.webhook_events.iter().any(has_text)
            || words.webhook_headers.iter().any(has_text);
        let lower = self.text.to_ascii_lowercase();
        found.tokens = self.tokens(&lower, found.is_of_v2, words);
        if !self.language.is_code() {
            return found;
        }
        if found.tokens.is_empty() {
            found
                .tokens
                .extend(self.authorization(&lower, found.is_of_v2, words));
        }
        found.notifications = self.notifications(knowledge, words);
        let sent = self.sent_notifications(knowledge, words);
        found.reads_form = !sent.is_empty();
        found.notifications.extend(sent);
        if !found.notifications.is_empty() {
            found.fields = words
                .notification_fields
                .iter()
                .filter(|field| whole(self.text, field).next().is_some())
                .count();
            found.reads_form |= reads_form(&lower, words);
        }
        found
    }

    /// Texts that equal the name of a notification, except in messages.
    fn notifications(&self, knowledge: &Knowledge, words: &Words) -> Vec<(String, Place)> {
        let mut found = Vec::new();
        for (text, folded) in self.extract.texts.iter().zip(self.folded) {
            let callee = text.callee.as_deref().unwrap_or_default();
            let is_message = || {
                split_words(callee)
                    .iter()
                    .any(|word| has(&words.label, word))
            };
            if text.role == Role::Value
                && found.len() < NOTIFICATIONS
                && knowledge.notifications.contains(&folded.text)
                && !is_message()
            {
                let from = folded.source(0);
                let to = folded.source(folded.text.len().saturating_sub(1)) + 1;
                let place = Place::of(self.lines, from, to.max(from));
                found.push((folded.text.clone(), place));
            }
        }
        found
    }

    /// Notifications as they are sent, in tests and mocks: `"status=ENDED&uuid=…"`.
    fn sent_notifications(&self, knowledge: &Knowledge, words: &Words) -> Vec<(String, Place)> {
        let fields = [words.notification_field.as_str(), &words.recording_field];
        let mut found = Vec::new();
        for (text, folded) in self.extract.texts.iter().zip(self.folded) {
            if text.role != Role::Value || !folded.text.contains('&') {
                continue;
            }
            if found.len() >= NOTIFICATIONS {
                break;
            }
            let mut start = 0;
            for pair in folded.text.split_inclusive(['&', '?']) {
                let (at, end) = (start, start + pair.len());
                start = end;
                let Some((name, value)) = pair.split_once('=') else {
                    continue;
                };
                let value = value.trim_end_matches(['&', '?']);
                if fields.contains(&name) && knowledge.notifications.contains(value) {
                    let from = folded.source(at + name.len() + 1);
                    let place = Place::of(self.lines, from, from + value.len());
                    found.push((value.to_owned(), place));
                }
            }
        }
        found
    }

    /// The names of the verification token outside of comments. A name without the word zoom counts
    /// in receivers of v2's webhooks, in settings for Zoom, and beside the header or an app's secret.
    fn tokens(&self, lower: &str, is_of_v2: bool, words: &Words) -> Vec<(String, Place)> {
        let comments = self.extract.comments();
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for spelling in &words.verification_tokens {
            for at in memmem::find_iter(lower.as_bytes(), spelling).take(TOKENS) {
                let end = at + spelling.len();
                if continues_word(self.text.as_bytes(), end)
                    || comments.iter().any(|one| one.contains(&at))
                {
                    continue;
                }
                let start = start_of(lower, at, |byte| is_name(byte) || byte == b'-');
                let end = end + { lower.bytes().skip(end) }
                    .take_while(|byte| is_name(*byte))
                    .count();
                let path = start_of(lower, start, |byte| {
                    is_name(byte) || matches!(byte, b'-' | b'.')
                });
                let name = self.text.get(start..end).unwrap_or_default();
                let whole = lower.get(path..end).unwrap_or_default();
                let says_zoom = whole.contains("zoom");
                let is_setting = !self.language.is_code() && self.is_about_zoom(lower, start);
                let is_zoom = says_zoom
                    || is_of_v2
                    || is_setting
                    || is_beside_credentials(lower, start..end, words);
                let mut subjects = words.verified_subjects.iter();
                let is_other =
                    !says_zoom && subjects.any(|subject| whole.contains(subject.as_str()));
                if is_zoom && !is_other && seen.insert(name.to_owned()) {
                    found.push((name.to_owned(), Place::of(self.lines, start, end)));
                }
            }
        }
        found.sort_by_key(|(_, place)| place.at);
        found
    }

    /// The first read of the `authorization` header in a receiver of v2's webhooks that names no
    /// token, verifies no signature, and does not sign in users by that header.
    fn authorization(&self, lower: &str, is_of_v2: bool, words: &Words) -> Option<(String, Place)> {
        let has_text = |word: &String| memmem::find(lower.as_bytes(), word.as_bytes()).is_some();
        let is_signed = words.webhook_headers.iter().any(has_text);
        if is_signed || !(is_of_v2 || names_hook(lower) || names_hook(self.path)) {
            return None;
        }
        let comments = self.extract.comments();
        let reads = words.authorization_reads.iter();
        let reads = reads.flat_map(|read| {
            let found = memmem::find_iter(lower.as_bytes(), read);
            found.map(|at| at..at + read.len())
        });
        let reads = reads.filter(|read| {
            let rest = lower.get(read.end..).unwrap_or_default();
            !is_assigned(rest) && !is_within(&comments, read.start)
        });
        let reads: Vec<Range<usize>> = reads.take(TOKENS).collect();
        let is_of_users = |read: &Range<usize>| {
            let from = ceil(lower, read.start.saturating_sub(SCHEME));
            let near = lower.get(from..floor(lower, read.end + SCHEME));
            let near = near.unwrap_or_default();
            let mut schemes = words.authorization_schemes.iter();
            schemes.any(|scheme| near.contains(scheme.as_str()))
        };
        if reads.iter().any(is_of_users) {
            return None;
        }
        let read = reads.into_iter().min_by_key(|read| read.start)?;
        let place = Place::of(self.lines, read.start, read.end);
        Some(("authorization".to_owned(), place))
    }

    fn is_about_zoom(&self, lower: &str, at: usize) -> bool {
        let before = lower.as_bytes().get(at.saturating_sub(SECTION)..at);
        let before = before.unwrap_or_default();
        memmem::find(before, b"zoom").is_some() || contains_zoom(self.path)
    }
}

/// True if the field with the notification's name is a request parameter.
fn reads_form(lower: &str, words: &Words) -> bool {
    let has_text = |word: &String| memmem::find(lower.as_bytes(), word.as_bytes()).is_some();
    let names_field = || whole(lower, &words.notification_field).next().is_some();
    if words.form_parsers.iter().any(has_text) {
        return names_field();
    }
    whole(lower, &words.notification_field).any(|at| {
        let before = lower.get(ceil(lower, at.saturating_sub(READ))..at);
        let after = lower.get(at..floor(lower, at + READ));
        let before = before.unwrap_or_default().rsplit('\n').next();
        let after = after.unwrap_or_default().lines().next();
        let line = [before, after].map(Option::unwrap_or_default).concat();
        let mut reads = words.form_reads.iter();
        reads.any(|read| line.contains(read.as_str()))
    })
}

/// True for a name of a receiver of Zoom's webhooks: `ZoomWebhooks`, `zoom_hook`.
fn names_hook(text: &str) -> bool {
    /// Bytes between the words: `_web`, `: { web`.
    const BETWEEN: usize = 8;
    let lower = text.to_ascii_lowercase();
    memmem::find_iter(lower.as_bytes(), "zoom").any(|at| {
        let rest = lower.get(at + 4..).unwrap_or_default();
        let near = rest.get(..floor(rest, BETWEEN + 4)).unwrap_or_default();
        near.contains("hook")
    })
}

/// True for a token that is compared with the `authorization` header or stands beside the secret of
/// an OAuth app, unless another service is named there.
fn is_beside_credentials(lower: &str, token: Range<usize>, words: &Words) -> bool {
    let from = ceil(lower, token.start.saturating_sub(BESIDE));
    let to = floor(lower, token.end + BESIDE);
    let around = lower.get(from..to).unwrap_or_default();
    let plain: String = around.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    let is_app = plain.contains("clientsecret") || plain.contains("authorization");
    let mut services = words.other_services.iter();
    is_app && !services.any(|service| around.contains(service.as_str()))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Start of the name around an offset.
fn start_of(text: &str, at: usize, is_part: impl Fn(u8) -> bool) -> usize {
    let head = text.as_bytes().get(..at).unwrap_or_default();
    at - head.iter().rev().take_while(|byte| is_part(**byte)).count()
}

/// The offsets of a whole word.
fn whole<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let bytes = text.as_bytes();
    memmem::find_iter(bytes, word).filter(move |at| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let after = bytes.get(at + word.len());
        ![before, after]
            .into_iter()
            .flatten()
            .any(|byte| is_name(*byte))
    })
}
