//! Decodes the parameters of a v1 request from any encoding that clients use.
//!
//! Old programs send a form, all parameters in the query string with an empty body, a query string
//! with an irrelevant JSON body, multipart in several dialects, or a form with the wrong content
//! type. The layers above do not depend on the encoding.

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

/// Limit of parameters, far above any v1 operation, against bodies of millions of names.
const MAX_PARAMETERS: usize = 500;

/// Parameter names that affect decoding.
#[derive(Clone, Debug, Default)]
pub(crate) struct ParameterNames<'a> {
    /// Key and secret. If the query string has both, it is taken to be complete.
    pub(crate) credentials: [&'a str; 2],
    /// Parameters with binary values.
    pub(crate) files: Vec<&'a str>,
    /// Parameters that may be objects or arrays in a JSON body.
    pub(crate) nested: Vec<&'a str>,
    /// All parameters of the operation; invalid values of others are ignored.
    pub(crate) known: Vec<&'a str>,
}

/// Errors in the parameters of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// A value is invalid in the declared charset, or not a single value.
    #[error("the value of a parameter is not text")]
    NotText {
        /// Name of the parameter.
        parameter: String,
    },
    /// Too many parameters.
    #[error("the request has more than {MAX_PARAMETERS} parameters")]
    TooMany,
    /// The body as a whole is invalid.
    #[error("{0}")]
    Unreadable(&'static str),
}

/// Result of decoding a request.
pub(crate) struct Decoded {
    /// Parameters, also those read before an error, which may set the format of the error response.
    pub(crate) arguments: Arguments,
    /// Parameters without a declared charset that are not UTF-8; they were read as windows-1252.
    pub(crate) guessed: Vec<String>,
    /// The first error, if any.
    pub(crate) result: Result<(), DecodeError>,
}

/// Decodes the query, then the body of a request.
///
/// If both have a parameter, the query's value applies unless it is empty.
pub(crate) struct Decoder<'a> {
    query: Parameters<'a>,
    result: Result<(), DecodeError>,
}

impl<'a> Decoder<'a> {
    /// Decodes the query, e.g. `a=b&c=d`.
    pub(crate) fn query(query: Option<&str>, names: &'a ParameterNames<'a>) -> Self {
        let mut parameters = Parameters::new(names, None);
        let result = form::decode(query.unwrap_or_default().as_bytes(), &mut parameters);
        Self {
            query: parameters,
            result,
        }
    }

    /// Parameters of the query.
    pub(crate) fn arguments(&self) -> &Arguments {
        &self.query.arguments
    }

    /// Decodes the body and merges it with the query.
    pub(crate) async fn body(self, content: &Content, body: &Bytes) -> Decoded {
        let Self { mut query, result } = self;
        // Windows editors write a byte order mark.
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
        // Programs that send everything in the query string may send any body, which v1 ignored.
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

/// Decodes text; the lossy conversion is many times slower than the check for valid UTF-8.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Parameters decoded so far.
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

    /// Adds a parameter as text or bytes, depending on its name.
    fn add<V>(&mut self, name: &str, value: V) -> Result<(), DecodeError>
    where
        V: AsRef<[u8]> + Into<Bytes> + Into<Vec<u8>>,
    {
        self.add_in(name, value, self.charset)
    }

    /// Like [`Parameters::add`], with a charset of its own.
    fn add_in<V>(
        &mut self,
        name: &str,
        value: V,
        charset: Option<&'static Encoding>,
    ) -> Result<(), DecodeError>
    where
        V: AsRef<[u8]> + Into<Bytes> + Into<Vec<u8>>,
    {
        // Hand-written forms may contain `& name=value`.
        let name = name.trim();
        // An empty file counts as absent, like any empty parameter.
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
                // Old Windows programs send the system's charset without declaring it.
                let (text, _) = WINDOWS_1252.decode_without_bom_handling(error.as_bytes());
                if self.names.known.contains(&name) {
                    self.guessed.push(name.to_owned());
                }
                self.insert(name, Argument::Text(text.into_owned()))
            }
        }
    }

    /// Adds a parameter with an invalid value: an error, if the operation has the parameter.
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

    /// Keeps the first value of a name, unless it is empty.
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
