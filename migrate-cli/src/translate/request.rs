//! Parser for v1 requests: a client's command, a URL, an operation with a form, HTTP, a Postman
//! collection or a HAR file.

use bytes::Bytes;
use mappings::{Argument, Arguments, Catalog, File, catalog::operation::Operation};
use serde_json::Value;

use super::{
    clients::{self, Command, CommandError, Data, Part},
    command_line,
    form::{self, printable},
    http_text,
    variables::RequestVariables,
};
use crate::{explain, record::import, v1_address};

/// Placeholder content of a file that is not read. An empty file would count as not sent.
const FILE_CONTENT: &[u8] = b"file";

/// A v1 request.
#[derive(Debug)]
pub(crate) struct V1Request {
    /// Path after `/v1/`; may be an unknown operation.
    pub(crate) operation: String,
    pub(crate) arguments: Arguments,
    /// File paths, by parameter.
    pub(crate) files: Vec<(String, String)>,
    /// Assumptions made while parsing.
    pub(crate) notes: Vec<String>,
    /// Its variables, replaced with markers.
    pub(crate) variables: RequestVariables,
    /// Variables with parameters of it, whose values are unknown: `$DATA`.
    pub(crate) unknown: Vec<String>,
}

/// Reason why a text is not a v1 request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// No input.
    #[error("no request; give one as an argument, a file, or on standard input:\n{USAGE}")]
    Nothing,
    /// Unknown form of a request.
    #[error("`{text}` is not a v1 request{suggestion}\n{USAGE}")]
    NotARequest {
        /// Beginning of the text.
        text: String,
        /// Similar operations; may be empty.
        suggestion: String,
    },
    /// Source code.
    #[error("this looks like source code; use `migrate audit` for code\n{USAGE}")]
    Code,
    /// Not a v1 URL.
    #[error("the URL has no /{prefix}/, so it is not a v1 URL\n{USAGE}")]
    NotV1 {
        /// Path prefix: `v1`.
        prefix: String,
    },
    /// A command without a URL.
    #[error("the command has no URL")]
    NoUrl,
    /// Unbalanced quotes.
    #[error("the command cannot be split into words: {0}")]
    Quotes(&'static str),
    /// Invalid command line.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The JSON body is not a flat object.
    #[error("{0}")]
    Json(String),
}

const USAGE: &str = "  write it as a command of curl, wget, HTTPie or PowerShell, a URL, an operation with a form, or
  give a file with one of these, with HTTP, a Postman collection or HAR:
    migrate translate \"curl https://api.zoom.us/v1/user/get -d id=abc\"
    migrate translate 'https://api.zoom.us/v1/user/get?id=abc'
    migrate translate user/get id=abc
    migrate translate requests.http";

impl V1Request {
    /// Parses the arguments of `migrate translate`.
    pub(crate) fn from_words(
        catalog: &Catalog,
        words: &[String],
    ) -> Result<Vec<Self>, RequestError> {
        match words {
            [] => Err(RequestError::Nothing),
            [text] => Self::from_text(catalog, text),
            [first, rest @ ..] => {
                let mut found = RequestVariables::of(&words.join(" "));
                let rest: Vec<_> = rest.iter().map(|word| found.braces(word)).collect();
                let request = match clients::client(first) {
                    Some(client) => Self::from_command(catalog, client.parse(&rest)?, &found)?,
                    None => Self::from_address(catalog, &found.braces(first), &rest, found)?,
                };
                Ok(vec![request])
            }
        }
    }

    /// Parses a text, such as a pasted command or the content of a file.
    pub(crate) fn from_text(catalog: &Catalog, text: &str) -> Result<Vec<Self>, RequestError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let text = text.strip_prefix("$ ").unwrap_or(text).trim_start();
        let mut found = RequestVariables::of(text);
        let first = text
            .split_whitespace()
            .next()
            .ok_or(RequestError::Nothing)?;
        if let Some(commands) = saved(&mut found, text).or_else(|| http_text::commands(text)) {
            return Self::of_v1(catalog, commands, &mut found);
        }
        let braced = found.braces(text);
        let lines = command_line::commands(&braced, &mut found).map_err(RequestError::Quotes);
        let is_client = |words: &Vec<String>| client_at(words).is_some();
        let is_command = match &lines {
            Ok(lines) => lines.iter().any(is_client),
            Err(_) => clients::client(first).is_some(),
        };
        if is_command {
            let mut requests = Vec::new();
            for words in lines? {
                if let Some((client, at)) = client_at(&words) {
                    let rest = words.get(at + 1..).unwrap_or_default();
                    requests.push(Self::from_command(catalog, client.parse(rest)?, &found)?);
                }
            }
            return Ok(requests);
        }
        if first.contains('(') || text.contains(");") {
            return Err(RequestError::Code);
        }
        let (address, form) = braced
            .split_once(char::is_whitespace)
            .unwrap_or((&braced, ""));
        let form = form.trim();
        let forms = Some(form.to_owned()).filter(|form| !form.is_empty());
        let forms: Vec<String> = forms.into_iter().collect();
        Ok(vec![Self::from_address(catalog, address, &forms, found)?])
    }

    /// Keeps the v1 requests of a file.
    fn of_v1(
        catalog: &Catalog,
        commands: Vec<Command>,
        found: &mut RequestVariables,
    ) -> Result<Vec<Self>, RequestError> {
        let (mut requests, mut other) = (Vec::new(), RequestError::Nothing);
        for mut command in commands {
            command.url = command.url.map(|url| found.braces(&url));
            for data in &mut command.data {
                if let Data::Encoded(text) = data {
                    *text = found.braces(text);
                }
            }
            match Self::from_command(catalog, command, found) {
                Ok(request) => requests.push(request),
                Err(error @ RequestError::NotV1 { .. }) => other = error,
                Err(error) => return Err(error),
            }
        }
        if requests.is_empty() {
            Err(other)
        } else {
            Ok(requests)
        }
    }

    fn from_command(
        catalog: &Catalog,
        command: Command,
        found: &RequestVariables,
    ) -> Result<Self, RequestError> {
        let url = command.url.as_deref().ok_or(RequestError::NoUrl)?;
        let prefix = &catalog.protocol().prefix;
        let operation = v1_address::below_prefix(url, prefix)
            .or_else(|| below_variable(catalog, url, found))
            .ok_or_else(|| RequestError::NotV1 {
                prefix: prefix.clone(),
            })?;
        let mut reader = Reader::new(catalog, operation, found);
        let has_body = !command.parts.is_empty() || !(command.data.is_empty() || command.get);
        let implied = if has_body { "POST" } else { "GET" };
        let method = command.method.as_deref().unwrap_or(implied);
        if !method.eq_ignore_ascii_case("POST") {
            reader.notes.push(format!(
                "v1 accepts POST only and returns an error for {}; send a POST",
                printable(method)
            ));
        }
        for option in &command.unknown {
            reader.notes.push(format!(
                "unknown option {}: treated as a switch",
                printable(option)
            ));
        }
        reader.encoded(v1_address::query(url));
        reader.data(&command.query);
        let is_json =
            |data: &Data| matches!(data, Data::Encoded(text) if text.trim_start().starts_with('{'));
        let is_whole = |data: &Data| matches!(data, Data::Encoded(_));
        let is_body = !command.get && command.data.first().is_some_and(is_whole);
        if is_body && (command.json || command.data.first().is_some_and(is_json)) {
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

    /// Parses a URL or an operation, with forms.
    #[expect(clippy::needless_pass_by_value, reason = "made for it")]
    fn from_address(
        catalog: &Catalog,
        address: &str,
        forms: &[String],
        found: RequestVariables,
    ) -> Result<Self, RequestError> {
        let prefix = &catalog.protocol().prefix;
        let path = v1_address::path(address).trim_matches('/');
        let below = v1_address::below_prefix(address, prefix)
            .or_else(|| below_variable(catalog, address, &found));
        let operation = match below {
            Some(operation) => operation,
            None if catalog.find(path).is_some() => path.to_owned(),
            None if address.contains("://") => {
                return Err(RequestError::NotV1 {
                    prefix: prefix.clone(),
                });
            }
            None => {
                let nearest = explain::nearest_operations(catalog, path);
                // Without values, which may be secrets.
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
        let mut reader = Reader::new(catalog, operation, &found);
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

/// Finds the client in the first words, after assignments and wrapper programs. Returns its
/// position.
fn client_at(words: &[String]) -> Option<(&'static clients::Client, usize)> {
    let mut first = words.iter().take(4).enumerate();
    first.find_map(|(at, word)| Some((clients::client(word)?, at)))
}

/// Operation after a variable that holds the base URL: `$BASE/user/get`.
fn below_variable(catalog: &Catalog, url: &str, found: &RequestVariables) -> Option<String> {
    let (base, path) = v1_address::path(url).split_once('/')?;
    let operation = path.trim_matches('/');
    (found.is_in(base) && catalog.find(operation).is_some()).then(|| operation.to_owned())
}

/// Requests of a HAR file, a Postman collection or one of their entries; `None` for other texts.
fn saved(found: &mut RequestVariables, text: &str) -> Option<Vec<Command>> {
    let file: Value = serde_json::from_str(&found.braces(text)).ok()?;
    let commands = import::requests(&file)?.into_iter().map(|pair| {
        let mut command = Command {
            url: Some(pair.url),
            method: Some(pair.method).filter(|method| !method.is_empty()),
            ..Command::default()
        };
        command.header(&format!("content-type: {}", pair.content_type));
        if !pair.body.is_empty() {
            command.data.push(Data::Encoded(pair.body));
        }
        command
    });
    Some(commands.collect())
}

/// Collects the parameters of a request.
struct Reader<'c> {
    known: Option<&'c Operation>,
    operation: String,
    arguments: Arguments,
    files: Vec<(String, String)>,
    notes: Vec<String>,
    found: RequestVariables,
}

impl<'c> Reader<'c> {
    fn new(catalog: &'c Catalog, operation: String, found: &RequestVariables) -> Self {
        Self {
            known: catalog.find(&operation),
            operation,
            arguments: Arguments::default(),
            files: Vec::new(),
            notes: Vec::new(),
            found: found.clone(),
        }
    }

    /// Adds a form as a server would decode it.
    fn encoded(&mut self, text: &str) {
        for pair in form::pairs(text) {
            self.note_plus(&pair);
            form::add(&mut self.arguments, pair.name, pair.value);
        }
    }

    /// Adds a form as a person wrote it: an `&` not followed by a parameter belongs to the value.
    /// `dept=R&D` is meant that way, although a server would split it.
    fn form(&mut self, text: &str) {
        let mut pairs: Vec<form::Pair> = Vec::new();
        for pair in form::pairs(text) {
            match pairs.last_mut() {
                Some(before)
                    if !pair.has_value
                        && !self.is_parameter(&pair.name)
                        && !self.found.is_in(&pair.name) =>
                {
                    before.value.push(b'&');
                    before.value.extend(pair.name.as_bytes());
                    self.notes.push(format!(
                        "{}: & is treated as part of the value; encode it as %26 \
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

    /// Notes that a `+` in an email address becomes a space.
    fn note_plus(&mut self, pair: &form::Pair) {
        if pair.had_plus && pair.value.contains(&b'@') {
            self.notes.push(format!(
                "{}: + is a space in a form; encode a plus sign as %2B",
                printable(&pair.name)
            ));
        }
    }

    fn finish(mut self) -> V1Request {
        let mut arguments = Arguments::default();
        let mut unknown = Vec::new();
        for (name, value) in self.arguments.iter() {
            if self.found.is_in(name) {
                let name = self.found.shown(name, |name| format!("${name}"));
                let name = printable(&name);
                let note = format!("{name}: parameters in this variable are unknown");
                self.notes.push(note);
                unknown.push(name);
            } else {
                arguments.add(name, value.clone());
            }
        }
        V1Request {
            operation: self.operation,
            arguments,
            files: self.files,
            notes: self.notes,
            variables: self.found,
            unknown,
        }
    }
}
