//! Decodes the parameters of a v1 request, in whatever form a client sends them.
//!
//! Old programs send a form; or everything in the query string and an empty body; or the query
//! string and a JSON body that means nothing; or multipart of several ages; or a form that says
//! it is something else. All of it is read here, and nothing behind this module knows how a
//! parameter came.

mod body;
mod content;
mod form;
mod json;
mod multipart;
mod path;

use std::borrow::Cow;

use bytes::Bytes;
use mappings::{Argument, Arguments, File};

pub(crate) use body::{BodyError, BodyReader};
pub(crate) use content::Content;
pub(crate) use path::operation_path;

/// More parameters than any v1 operation had, by far. A body of millions of names is an attack.
const MAX_PARAMETERS: usize = 500;

/// The parameters of a v1 request, still in the wrapping of the client.
pub(crate) struct Encoded<'a> {
    /// What stands behind the `?`, not decoded.
    pub(crate) query: Option<&'a str>,
    /// What the client says the body is.
    pub(crate) content: Content,
    /// The body, complete.
    pub(crate) body: Bytes,
}

/// The names that decoding must know.
#[derive(Clone, Debug, Default)]
pub(crate) struct ParameterNames<'a> {
    /// The parameters that authenticate; where they stand tells which part of the request counts.
    pub(crate) credentials: [&'a str; 2],
    /// The parameters whose values are bytes, not text.
    pub(crate) files: Vec<&'a str>,
    /// All parameters of the operation; others are ignored whatever they hold.
    pub(crate) known: Vec<&'a str>,
}

/// Why the parameters of a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// A value that should be text is not UTF-8, or not a single value.
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

impl Encoded<'_> {
    /// Reads the parameters: those of the query first, because for a name that is in both the
    /// query wins.
    ///
    /// What could be read before an error comes back with it, so that the error can be answered
    /// in the form that the client asked for.
    pub(crate) async fn decode(
        self,
        names: &ParameterNames<'_>,
    ) -> (Arguments, Result<(), DecodeError>) {
        let mut parameters = Parameters::new(names);
        if let Err(error) = form::decode(self.query.unwrap_or_default().as_bytes(), &mut parameters)
        {
            return (parameters.arguments, Err(error));
        }
        if self.body.trim_ascii().is_empty() {
            return (parameters.arguments, Ok(()));
        }

        let complete = parameters.has_credentials();
        let mut of_body = Parameters::new(names);
        let read = self.content.decode(&self.body, &mut of_body).await;
        match read {
            // Programs that send everything in the query string have put all kinds of things
            // into the body that v1 never looked at.
            Err(_) if complete && !self.content.is_for_parameters() => {
                (parameters.arguments, Ok(()))
            }
            read if parameters.arguments.is_empty() => (of_body.arguments, read),
            read => {
                for (name, value) in of_body.arguments.iter() {
                    parameters.arguments.add(name, value.clone());
                }
                (parameters.arguments, read)
            }
        }
    }
}

/// Bytes as text. What is not UTF-8 is looked at one by one, which takes many times as long.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The parameters read so far.
struct Parameters<'a> {
    names: &'a ParameterNames<'a>,
    arguments: Arguments,
    count: usize,
}

impl<'a> Parameters<'a> {
    fn new(names: &'a ParameterNames<'a>) -> Self {
        Self {
            names,
            arguments: Arguments::default(),
            count: 0,
        }
    }

    /// Adds a parameter as it came from the wire, text or bytes by its name.
    fn add<V>(&mut self, name: &str, value: V) -> Result<(), DecodeError>
    where
        V: AsRef<[u8]> + Into<Bytes> + Into<Vec<u8>>,
    {
        // An empty file field is an absent parameter, as any other is.
        if self.names.files.contains(&name) && !value.as_ref().is_empty() {
            return self.add_file(name, None, value.into());
        }
        match String::from_utf8(value.into()) {
            Ok(text) => self.insert(name, Argument::Text(text)),
            Err(_) => self.add_unreadable(name),
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
        if !name.is_empty() {
            self.arguments.add(name, value);
        }
        Ok(())
    }

    fn has_credentials(&self) -> bool {
        self.names
            .credentials
            .iter()
            .all(|name| self.arguments.get(name).is_some())
    }
}

#[cfg(test)]
mod tests;
