//! Documents copied as they stand, but for the texts that may not be kept.

use std::{borrow::Cow, ops::Range};

use mappings::{Document, document::Json};

use super::{Meaning, pen::Pen};
use crate::REDACTED;

/// It has to be written anew: something that is no plain text has to go.
struct Anew;

impl Pen<'_> {
    /// Copies a document; false if that cannot be, and nothing was written.
    ///
    /// Only a document that has no escapes is copied: what is secret is looked for in the line as it
    /// is written, and an escape would hide it.
    pub(super) fn copy(&mut self, document: &Document) -> bool {
        let Some(text) = document.verbatim() else {
            return false;
        };
        let start = self.out.len();
        let mut copy = Copy {
            pen: self,
            text,
            copied: 0,
        };
        let copied = copy.value(document.json(), Meaning::Plain);
        if copied.is_err() || copy.up_to(text.len()).is_err() {
            self.out.truncate(start);
            return false;
        }
        true
    }
}

struct Copy<'c, 'p> {
    pen: &'c mut Pen<'p>,
    text: &'c str,
    /// How much of the text is written.
    copied: usize,
}

impl Copy<'_, '_> {
    fn value(&mut self, value: Json<'_>, meaning: Meaning) -> Result<(), Anew> {
        if value.is_object() {
            for (name, value) in value.members() {
                let named = self.pen.named(name);
                if !named.stays {
                    return Err(Anew);
                }
                let meaning = meaning.inside(named.meaning);
                if meaning != Meaning::Plain && value.is_number() {
                    self.number(value, meaning)?;
                } else {
                    self.value(value, meaning)?;
                }
            }
        } else if value.is_array() {
            for element in value.elements() {
                self.value(element, meaning)?;
            }
        } else if let Some(text) = value.as_str() {
            self.string(value, text, meaning)?;
        } else if meaning != Meaning::Plain && value.is_number() {
            // In a list, nothing tells where it is.
            return Err(Anew);
        }
        Ok(())
    }

    fn number(&mut self, value: Json<'_>, meaning: Meaning) -> Result<(), Anew> {
        let Range { start, end } = value.place().ok_or(Anew)?;
        let number = self.text.get(start..end).ok_or(Anew)?;
        // Written in another way, it might be quoted in one more.
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Anew);
        }
        self.pen.note(meaning, number);
        if meaning == Meaning::Secret {
            self.up_to(start)?;
            self.pen.json(REDACTED).map_err(|_| Anew)?;
            self.copied = end;
        }
        Ok(())
    }

    fn string(&mut self, value: Json<'_>, text: &str, meaning: Meaning) -> Result<(), Anew> {
        let redactor = self.pen.redactor;
        self.pen.note(meaning, text);
        let redacted = match meaning {
            Meaning::Plain => match redactor.by_itself(text) {
                Cow::Borrowed(_) => return Ok(()),
                Cow::Owned(redacted) => {
                    self.pen.remember(text);
                    redacted.into()
                }
            },
            _ if text.is_empty() => return Ok(()),
            Meaning::Secret => Cow::Borrowed(REDACTED),
            Meaning::Personal => redactor.name(text).into(),
        };
        let Range { start, end } = value.place().ok_or(Anew)?;
        // With its quotes.
        self.up_to(start.saturating_sub(1))?;
        self.pen.json(&*redacted).map_err(|_| Anew)?;
        self.copied = end + 1;
        Ok(())
    }

    fn up_to(&mut self, end: usize) -> Result<(), Anew> {
        let text = self.text.get(self.copied..end).ok_or(Anew)?;
        self.pen.raw(text);
        self.copied = end;
        Ok(())
    }
}
