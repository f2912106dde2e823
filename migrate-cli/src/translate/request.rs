//! A v1 request as a person writes it: as a curl command, as a URL, or as an operation and a form.

use bytes::Bytes;
use mappings::{Argument, Arguments, Catalog, File, catalog::operation::Operation};

use super::{
    curl::{self, CurlError, Data, Part},
    form::{self, printable},
};
use crate::{explain, v1_address};

/// Stands for the content of a file that is named and not read. Not empty, because an empty file
/// counts as not sent.
const FILE_CONTENT: &[u8] = b"file";

/// A v1 request.
#[derive(Debug)]
pub(crate) struct V1Request {
    /// What follows `/v1/`: an operation that v1 had, or not.
    pub(crate) operation: String,
    pub(crate) arguments: Arguments,
    /// The paths of files, by parameter.
    pub(crate) files: Vec<(String, String)>,
    /// How the request was understood where that is not plain.
    pub(crate) notes: Vec<String>,
}

/// Why something is no v1 request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// Nothing was given.
    #[error("there is no request; give one as an argument or on standard input:\n{HOW}")]
    Nothing,
    /// It is neither command nor URL nor operation.
    #[error("`{text}` is no v1 request{suggestion}\n{HOW}")]
    NotARequest {
        /// The beginning of it.
        text: String,
        /// The operations that come near, or nothing.
        suggestion: String,
    },
    /// A URL of something else.
    #[error("the URL has no /{prefix}/ and so is none of Zoom's API v1\n{HOW}")]
    NotV1 {
        /// `v1`.
        prefix: String,
    },
    /// A curl command without a URL.
    #[error("the curl command has no URL")]
    NoUrl,
    /// The quotes do not match.
    #[error("the command cannot be split into words: {0}")]
    Quotes(#[from] shell_words::ParseError),
    /// See there.
    #[error(transparent)]
    Curl(#[from] CurlError),
    /// The JSON body is not a flat object.
    #[error("{0}")]
    Json(String),
}

const HOW: &str = "  write it as a curl command, a URL or an operation with a form:
    migrate translate \"curl https://api.zoom.us/v1/user/get -d id=abc\"
    migrate translate 'https://api.zoom.us/v1/user/get?id=abc'
    migrate translate user/get id=abc";

impl V1Request {
    /// Reads a request from the words of a command line.
    pub(crate) fn from_words(catalog: &Catalog, words: &[String]) -> Result<Self, RequestError> {
        match words {
            [] => Err(RequestError::Nothing),
            [text] => Self::from_text(catalog, text),
            [first, rest @ ..] if is_curl(first) => Self::from_curl(catalog, rest),
            [first, rest @ ..] => Self::from_address(catalog, first, rest),
        }
    }

    /// Reads a request from a text, as it may have been copied from somewhere.
    pub(crate) fn from_text(catalog: &Catalog, text: &str) -> Result<Self, RequestError> {
        let text = text.trim();
        let text = text.strip_prefix("$ ").unwrap_or(text).trim_start();
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        if first.is_empty() {
            return Err(RequestError::Nothing);
        }
        if is_curl(first) {
            let words = shell_words::split(rest)?;
            // What the shell would do with the answer does not matter.
            let end =
                |word: &String| matches!(word.as_str(), "|" | ";" | "&" | "&&" | "||" | ">" | ">>");
            let end = words.iter().position(end).unwrap_or(words.len());
            return Self::from_curl(catalog, words.get(..end).unwrap_or_default());
        }
        let forms: Vec<String> = match rest.trim() {
            "" => Vec::new(),
            form => vec![form.to_owned()],
        };
        Self::from_address(catalog, first, &forms)
    }

    fn from_curl(catalog: &Catalog, words: &[String]) -> Result<Self, RequestError> {
        let command = curl::parse(words)?;
        let url = command.url.as_deref().ok_or(RequestError::NoUrl)?;
        let prefix = &catalog.protocol().prefix;
        let operation = v1_address::below_prefix(url, prefix);
        let operation = operation.ok_or_else(|| RequestError::NotV1 {
            prefix: prefix.clone(),
        })?;
        let mut reader = Reader::new(catalog, operation);
        let has_body = !command.parts.is_empty() || !(command.data.is_empty() || command.get);
        let implied = if has_body { "POST" } else { "GET" };
        let method = command.method.as_deref().unwrap_or(implied);
        if !method.eq_ignore_ascii_case("POST") {
            reader.notes.push(format!(
                "v1 took POST only: a {} is answered with an error; add -X POST",
                printable(method)
            ));
        }
        for option in &command.unknown {
            reader.notes.push(format!(
                "curl's option {} is taken for a switch",
                printable(option)
            ));
        }
        reader.encoded(v1_address::query(url));
        reader.data(&command.query);
        let encoded =
            |data: &Data| matches!(data, Data::Encoded(text) if text.trim_start().starts_with('{'));
        if !command.get && (command.json || command.data.first().is_some_and(encoded)) {
            let texts = command.data.iter().map(|data| match data {
                Data::Encoded(text) => text.clone(),
                Data::Plain(name, value) => format!("{name}={value}"),
            });
            reader.json(&texts.collect::<String>())?;
        } else {
            reader.data(&command.data);
        }
        for part in command.parts {
            reader.part(part);
        }
        Ok(reader.finish())
    }

    /// A URL or an operation, and forms.
    fn from_address(
        catalog: &Catalog,
        address: &str,
        forms: &[String],
    ) -> Result<Self, RequestError> {
        let prefix = &catalog.protocol().prefix;
        let path = v1_address::path(address).trim_matches('/');
        let operation = match v1_address::below_prefix(address, prefix) {
            Some(operation) => operation,
            None if catalog.find(path).is_some() => path.to_owned(),
            None if address.contains("://") => {
                return Err(RequestError::NotV1 {
                    prefix: prefix.clone(),
                });
            }
            None => {
                let nearest = explain::nearest_operations(catalog, path);
                // Never a value: it may be a secret.
                let name = address.split(['=', '&', '?']).next().unwrap_or_default();
                let text: String = name.chars().take(60).collect();
                return Err(RequestError::NotARequest {
                    text: printable(&text),
                    suggestion: match nearest.as_slice() {
                        [] => String::new(),
                        nearest => format!("; did you mean {}?", explain::wording::one_of(nearest)),
                    },
                });
            }
        };
        let mut reader = Reader::new(catalog, operation);
        reader.encoded(v1_address::query(address));
        match forms {
            [json] if json.trim_start().starts_with('{') => reader.json(json)?,
            forms => {
                for form in forms {
                    reader.form(form);
                }
            }
        }
        Ok(reader.finish())
    }
}

fn is_curl(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name == "curl" || name == "curl.exe"
}

/// Collects the parameters of one request.
struct Reader<'c> {
    known: Option<&'c Operation>,
    operation: String,
    arguments: Arguments,
    files: Vec<(String, String)>,
    notes: Vec<String>,
}

impl<'c> Reader<'c> {
    fn new(catalog: &'c Catalog, operation: String) -> Self {
        Self {
            known: catalog.find(&operation),
            operation,
            arguments: Arguments::default(),
            files: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Pairs as a server reads them.
    fn encoded(&mut self, text: &str) {
        for pair in form::pairs(text) {
            self.note_plus(&pair);
            form::add(&mut self.arguments, pair.name, pair.value);
        }
    }

    /// A form as a person wrote it: an `&` that begins no parameter belongs to the value before it,
    /// because `dept=R&D` is meant so, though no server would read it so.
    fn form(&mut self, text: &str) {
        let mut pairs: Vec<form::Pair> = Vec::new();
        for pair in form::pairs(text) {
            match pairs.last_mut() {
                Some(before) if !pair.has_value && !self.is_parameter(&pair.name) => {
                    before.value.push(b'&');
                    before.value.extend(pair.name.as_bytes());
                    self.notes.push(format!(
                        "{}: & is read as a part of the value; in a form it must be %26 \
                         (curl: --data-urlencode)",
                        printable(&before.name)
                    ));
                }
                _ => pairs.push(pair),
            }
        }
        for pair in pairs {
            self.note_plus(&pair);
            form::add(&mut self.arguments, pair.name, pair.value);
        }
    }

    fn data(&mut self, data: &[Data]) {
        for data in data {
            match data {
                Data::Encoded(text) => self.form(text),
                Data::Plain(name, value) => {
                    form::add(
                        &mut self.arguments,
                        name.clone(),
                        value.clone().into_bytes(),
                    );
                }
            }
        }
    }

    fn json(&mut self, body: &str) -> Result<(), RequestError> {
        for (name, value) in form::json(body).map_err(RequestError::Json)? {
            self.arguments.add(name, Argument::Text(value));
        }
        Ok(())
    }

    fn part(&mut self, part: Part) {
        match part {
            Part::Text(name, text) => self.arguments.add(name, Argument::Text(text)),
            Part::File(name, path) => {
                let file = File {
                    name: Some(path.clone()),
                    bytes: Bytes::from_static(FILE_CONTENT),
                };
                self.arguments.add(name.clone(), Argument::File(file));
                self.files.push((name, path));
            }
        }
    }

    fn is_parameter(&self, name: &str) -> bool {
        let known = self
            .known
            .into_iter()
            .flat_map(|operation| &operation.parameters);
        { known }.any(|parameter| parameter.name == name)
    }

    /// An address loses its `+` in a form, which few people know.
    fn note_plus(&mut self, pair: &form::Pair) {
        if pair.had_plus && pair.value.contains(&b'@') {
            self.notes.push(format!(
                "{}: + is a blank in a form; write %2B for a plus sign",
                printable(&pair.name)
            ));
        }
    }

    fn finish(self) -> V1Request {
        V1Request {
            operation: self.operation,
            arguments: self.arguments,
            files: self.files,
            notes: self.notes,
        }
    }
}
