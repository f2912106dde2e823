//! Decodes the parameters of a v1 request, in whatever form a client sends them.
//!
//! Old programs send a form; or everything in the query string and an empty body; or the query
//! string and a JSON body that means nothing; or multipart of several ages; or a form that says
//! it is something else. All of it is read here, and nothing behind this module knows how a
//! parameter came.

mod body;
mod charset;
mod compression;
mod content;
mod form;
mod json;
mod multipart;
mod path;

use std::borrow::Cow;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use mappings::{Argument, Arguments, File};

pub(crate) use body::{BodyError, BodyReader};
pub(crate) use compression::decompressed;
pub(crate) use content::Content;
pub(crate) use path::operation_path;

/// More parameters than any v1 operation had, by far. A body of millions of names is an attack.
const MAX_PARAMETERS: usize = 500;

/// The names that decoding must know.
#[derive(Clone, Debug, Default)]
pub(crate) struct ParameterNames<'a> {
    /// The parameters that authenticate; where they stand tells which part of the request counts.
    pub(crate) credentials: [&'a str; 2],
    /// The parameters whose values are bytes, not text.
    pub(crate) files: Vec<&'a str>,
    /// The parameters whose values may be objects and arrays in a JSON body.
    pub(crate) nested: Vec<&'a str>,
    /// All parameters of the operation; others are ignored whatever they hold.
    pub(crate) known: Vec<&'a str>,
}

/// Why the parameters of a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// A value that should be text is not in the declared charset, or not a single value.
    #[error("the value of a parameter is not text")]
    NotText {
        /// The parameter.
        parameter: String,
    },
    /// There are more parameters than are read.
    #[error("the request has more than {MAX_PARAMETERS} parameters")]
    TooMany,
    /// The body as a whole cannot be read.
    #[error("{0}")]
    Unreadable(&'static str),
}

/// What was read of a request.
pub(crate) struct Decoded {
    /// The parameters, also those that were read before an error: the error is answered in the
    /// form that they ask for.
    pub(crate) arguments: Arguments,
    /// Parameters that are not UTF-8, under no declared charset: they were read as windows-1252.
    pub(crate) guessed: Vec<String>,
    /// Whether all of it could be read.
    pub(crate) result: Result<(), DecodeError>,
}

/// Reads a request: first its query, then its body.
///
/// For a name that is in both, the query's value counts, unless it is empty.
pub(crate) struct Decoder<'a> {
    query: Parameters<'a>,
    result: Result<(), DecodeError>,
}

impl<'a> Decoder<'a> {
    /// Reads the query, `a=b&c=d`.
    pub(crate) fn query(query: Option<&str>, names: &'a ParameterNames<'a>) -> Self {
        let mut parameters = Parameters::new(names, None);
        let result = form::decode(query.unwrap_or_default().as_bytes(), &mut parameters);
        Self {
            query: parameters,
            result,
        }
    }

    /// The parameters of the query.
    pub(crate) fn arguments(&self) -> &Arguments {
        &self.query.arguments
    }

    /// Reads the body, and joins both.
    pub(crate) async fn body(self, content: &Content, body: &Bytes) -> Decoded {
        let Self { mut query, result } = self;
        // Editors of Windows put a byte order mark before everything.
        let body = match body.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => body.slice_ref(rest),
            None => body.clone(),
        };
        if result.is_err() || body.trim_ascii().is_empty() {
            return query.decoded(result);
        }
        let complete = query.has_credentials();
        let mut parameters = Parameters::new(query.names, content.charset());
        let result = content.decode(&body, &mut parameters).await;
        // Programs that send everything in the query string have put all kinds of things into the
        // body that v1 never looked at.
        if result.is_err() && complete && !content.is_for_parameters() {
            return query.decoded(Ok(()));
        }
        if query.arguments.is_empty() {
            return parameters.decoded(result);
        }
        for (name, value) in parameters.arguments.iter() {
            query.keep(name, value.clone());
        }
        query.guessed.append(&mut parameters.guessed);
        query.decoded(result)
    }
}

/// Bytes as text. What is not UTF-8 is looked at one by one, which takes many times as long.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The parameters read so far.
struct Parameters<'a> {
    names: &'a ParameterNames<'a>,
    charset: Option<&'static Encoding>,
    arguments: Arguments,
    guessed: Vec<String>,
    count: usize,
}

impl<'a> Parameters<'a> {
    fn new(names: &'a ParameterNames<'a>, charset: Option<&'static Encoding>) -> Self {
        Self {
            names,
            charset,
            arguments: Arguments::default(),
            guessed: Vec::new(),
            count: 0,
        }
    }

    fn decoded(self, result: Result<(), DecodeError>) -> Decoded {
        Decoded {
            arguments: self.arguments,
            guessed: self.guessed,
            result,
        }
    }

    /// Adds a parameter as it came from the wire, text or bytes by its name.
    fn add<V>(&mut self, name: &str, value: V) -> Result<(), DecodeError>
    where
        V: AsRef<[u8]> + Into<Bytes> + Into<Vec<u8>>,
    {
        self.add_in(name, value, self.charset)
    }

    /// As [`Parameters::add`], for a value in a charset of its own.
    fn add_in<V>(
        &mut self,
        name: &str,
        value: V,
        charset: Option<&'static Encoding>,
    ) -> Result<(), DecodeError>
    where
        V: AsRef<[u8]> + Into<Bytes> + Into<Vec<u8>>,
    {
        // Programs that put forms together by hand write `& name=value`.
        let name = name.trim();
        // An empty file field is an absent parameter, as any other is.
        if self.names.files.contains(&name) && !value.as_ref().is_empty() {
            return self.add_file(name, None, value.into());
        }
        if let Some(charset) = charset.filter(|charset| *charset != UTF_8) {
            return match charset.decode_without_bom_handling(value.as_ref()) {
                (text, false) => self.insert(name, Argument::Text(text.into_owned())),
                (_, true) => self.add_unreadable(name),
            };
        }
        match String::from_utf8(value.into()) {
            Ok(text) => self.insert(name, Argument::Text(text)),
            Err(_) if charset.is_some() => self.add_unreadable(name),
            Err(error) => {
                // Old programs for Windows send what their machine has, and declare nothing.
                let (text, _) = WINDOWS_1252.decode_without_bom_handling(error.as_bytes());
                if self.names.known.contains(&name) {
                    self.guessed.push(name.to_owned());
                }
                self.insert(name, Argument::Text(text.into_owned()))
            }
        }
    }

    /// Adds a parameter whose value is not text: a mistake, unless nobody looks at it.
    fn add_unreadable(&mut self, name: &str) -> Result<(), DecodeError> {
        if self.names.known.contains(&name) {
            return Err(DecodeError::NotText {
                parameter: name.to_owned(),
            });
        }
        self.insert(name, Argument::Text(String::new()))
    }

    fn add_file(
        &mut self,
        name: &str,
        file_name: Option<String>,
        bytes: Bytes,
    ) -> Result<(), DecodeError> {
        let file = File {
            name: file_name,
            bytes,
        };
        self.insert(name, Argument::File(file))
    }

    fn insert(&mut self, name: &str, value: Argument) -> Result<(), DecodeError> {
        self.count += 1;
        if self.count > MAX_PARAMETERS {
            return Err(DecodeError::TooMany);
        }
        self.keep(name, value);
        Ok(())
    }

    /// The first value of a name counts; an empty one counts as absent, so a later one may fill it.
    fn keep(&mut self, name: &str, value: Argument) {
        if name.is_empty() {
            return;
        }
        let is_empty = |value: &Argument| matches!(value, Argument::Text(text) if text.is_empty());
        if !is_empty(&value) && self.arguments.get(name).is_some_and(is_empty) {
            self.arguments.remove(name);
        }
        self.arguments.add(name, value);
    }

    fn has_credentials(&self) -> bool {
        let is_given = |name: &&str| {
            let text = self.arguments.text(name);
            text.is_some_and(|text| !text.is_empty())
        };
        self.names.credentials.iter().all(is_given)
    }
}

#[cfg(test)]
mod tests;
