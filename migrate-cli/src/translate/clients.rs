//! Parser for the command lines of HTTP clients: curl, wget, `HTTPie`, and `PowerShell`'s
//! `Invoke-RestMethod`.

use std::sync::LazyLock;

use serde::Deserialize;

static CLIENTS: LazyLock<File> =
    LazyLock::new(|| toml::from_str(include_str!("clients.toml")).unwrap_or_default());

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    client: Vec<Client>,
}

/// An HTTP client program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    style: Style,
    names: Vec<String>,
    letters: String,
    values: Vec<String>,
    switches: Vec<String>,
}

/// Command-line syntax of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Style {
    Curl,
    Wget,
    Httpie,
    PowerShell,
}

/// Request described by a command line.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) url: Option<String>,
    /// Method, if given.
    pub(super) method: Option<String>,
    /// Send the data in the query: curl's `-G`.
    pub(super) get: bool,
    /// The body is JSON, by an option or a header.
    pub(super) json: bool,
    pub(super) data: Vec<Data>,
    pub(super) parts: Vec<Part>,
    /// Additional query parameters.
    pub(super) query: Vec<Data>,
    /// Unknown options, treated as switches.
    pub(super) unknown: Vec<String>,
}

/// Part of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// Already encoded.
    Encoded(String),
    /// Name and value that the client encodes.
    Plain(String, String),
}

/// A part of a multipart form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String, String),
    /// A file, by path.
    File(String, String),
}

/// Error in a command line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The data is in a file, which is not read.
    #[error("cannot read {what} from a file; put the content in its place")]
    ReadsFile {
        /// Description of the data.
        what: String,
    },
    /// The last option has no value.
    #[error("the option {option} needs a value")]
    NoValue {
        /// Option name.
        option: String,
    },
    /// A part without `=`.
    #[error("the option {option} needs name=content")]
    NoContent {
        /// Option name.
        option: String,
    },
    /// More than one URL.
    #[error("the command has more than one URL; translate one request at a time")]
    TwoUrls,
}

/// Finds the client with this program name or path.
pub(super) fn client(word: &str) -> Option<&'static Client> {
    let name = word
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(word)
        .to_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    let is_it = |client: &&Client| client.names.iter().any(|known| known == name);
    CLIENTS.client.iter().find(is_it)
}

/// Returns the value of an option.
type Value<'v> = &'v mut dyn FnMut(&str) -> Result<String, CommandError>;

impl Client {
    /// Parses the words after the client's name.
    pub(super) fn parse(&self, words: &[String]) -> Result<Command, CommandError> {
        let mut command = Command::default();
        let mut words = words.iter();
        let mut only_operands = false;
        while let Some(word) = words.next() {
            let mut value = |option: &str| {
                words.next().cloned().ok_or_else(|| CommandError::NoValue {
                    option: option.to_owned(),
                })
            };
            match (word.strip_prefix("--"), word.strip_prefix('-')) {
                _ if only_operands => self.operand(word, &mut command)?,
                (Some(""), _) => only_operands = true,
                (_, Some(name)) if self.style == Style::PowerShell && !name.is_empty() => {
                    self.long(&name.to_lowercase(), &mut command, &mut value)?;
                }
                (Some(name), _) => match name.split_once('=') {
                    Some((name, content)) if self.style != Style::Curl => {
                        let mut given = |_: &str| Ok(content.to_owned());
                        self.long(name, &mut command, &mut given)?;
                    }
                    _ => self.long(name, &mut command, &mut value)?,
                },
                (None, None | Some("")) => self.operand(word, &mut command)?,
                (None, Some(letters)) => self.letters(letters, &mut command, &mut value)?,
            }
        }
        Ok(command)
    }

    /// Parses short options: `-sSXPOST`, `-d a=b`. The value may follow in the same word.
    fn letters(
        &self,
        letters: &str,
        command: &mut Command,
        value: Value<'_>,
    ) -> Result<(), CommandError> {
        for (at, letter) in letters.char_indices() {
            let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            let name = match (self.style, letter) {
                (Style::Curl, 'd') => "data",
                (Style::Curl, 'F') | (Style::Httpie, 'f') => "form",
                (Style::Curl, 'H') => "header",
                (Style::Curl, 'X') => "request",
                (Style::Curl, 'G') => {
                    command.get = true;
                    continue;
                }
                (Style::Curl, 'I') => {
                    command.method.get_or_insert_with(|| "HEAD".to_owned());
                    continue;
                }
                (Style::Httpie, 'j') => "json",
                (_, letter) if self.letters.contains(letter) => "",
                _ => continue,
            };
            let option = format!("-{letter}");
            let mut given = |_: &str| {
                if rest.is_empty() {
                    value(&option)
                } else {
                    Ok(rest.to_owned())
                }
            };
            if name.is_empty() {
                return given("").map(drop);
            }
            return self.long(name, command, &mut given);
        }
        Ok(())
    }

    fn long(
        &self,
        name: &str,
        command: &mut Command,
        value: Value<'_>,
    ) -> Result<(), CommandError> {
        let option = format!("--{name}");
        match (self.style, name) {
            (Style::Curl, "url") | (Style::PowerShell, "uri") => {
                let url = value(&option)?;
                command.url(&url)?;
            }
            (Style::Curl, "request") | (Style::Wget | Style::PowerShell, "method") => {
                command.method = Some(value(&option)?);
            }
            (Style::Curl, "get") => command.get = true,
            (Style::Curl, "head") => command.method = Some("HEAD".to_owned()),
            (Style::Curl | Style::Wget, "header") => command.header(&value(&option)?),
            (Style::PowerShell, "contenttype") => {
                command.header(&format!("content-type: {}", value(&option)?));
            }
            (Style::Curl, "json") => {
                command.json = true;
                command
                    .data
                    .push(Data::Encoded(read_no_file(&option, value(&option)?)?));
            }
            (Style::Curl, "data" | "data-ascii" | "data-binary") => {
                command
                    .data
                    .push(Data::Encoded(read_no_file(&option, value(&option)?)?));
            }
            (Style::Curl, "data-raw")
            | (Style::Wget, "post-data" | "body-data")
            | (Style::PowerShell, "body") => {
                command.data.push(Data::Encoded(value(&option)?));
            }
            (Style::Wget, "post-file" | "body-file") | (Style::PowerShell, "infile") => {
                let what = format!("the data of {option}");
                return Err(CommandError::ReadsFile { what });
            }
            (Style::Curl, "data-urlencode") => {
                command
                    .data
                    .push(encoded_by_curl(&option, &value(&option)?)?);
            }
            (Style::Curl, "url-query") => {
                let query = value(&option)?;
                command.query.push(match query.strip_prefix('+') {
                    Some(encoded) => Data::Encoded(encoded.to_owned()),
                    None => encoded_by_curl(&option, &query)?,
                });
            }
            (Style::Curl, "form") => command.parts.push(part(&option, &value(&option)?)?),
            (Style::Curl, "form-string") => {
                let text = value(&option)?;
                let (name, text) = named(&option, &text)?;
                command
                    .parts
                    .push(Part::Text(name.to_owned(), text.to_owned()));
            }
            // Both select the encoding of the same items.
            (Style::Httpie, "form" | "json" | "multipart") => {}
            (_, name) if self.values.iter().any(|known| known == name) => drop(value(&option)?),
            (_, name)
                if name.starts_with("no-") || self.switches.iter().any(|known| known == name) => {}
            // Without the value, which may be a secret.
            _ => command
                .unknown
                .extend(option.split('=').next().map(str::to_owned)),
        }
        Ok(())
    }

    /// Parses an operand: the URL, or an `HTTPie` item.
    fn operand(&self, word: &str, command: &mut Command) -> Result<(), CommandError> {
        if self.style != Style::Httpie {
            return command.url(word);
        }
        if command.url.is_none() {
            let is_method =
                word.len() > 1 && word.chars().all(|letter| letter.is_ascii_uppercase());
            if is_method && command.method.is_none() {
                command.method = Some(word.to_owned());
                return Ok(());
            }
            return command.url(word);
        }
        let at = word.find(['=', ':', '@']).unwrap_or(word.len());
        let (name, rest) = word.split_at(at);
        let name = name.to_owned();
        if let Some(content) = rest.strip_prefix("==") {
            command.query.push(Data::Plain(name, content.to_owned()));
        } else if name.is_empty() && rest.starts_with('@') {
            return Err(CommandError::ReadsFile {
                what: "the body".to_owned(),
            });
        } else if let Some(path) = rest.strip_prefix('@') {
            command.parts.push(Part::File(name, path.to_owned()));
        } else if rest.starts_with("=@") || rest.starts_with(":=@") {
            return Err(CommandError::ReadsFile {
                what: format!("the content of {name}"),
            });
        } else if let Some(content) = rest.strip_prefix(":=").or(rest.strip_prefix('=')) {
            command.data.push(Data::Plain(name, content.to_owned()));
        } else if rest.starts_with(':') {
            command.header(word);
        } else {
            command.unknown.push(name);
        }
        Ok(())
    }
}

impl Command {
    pub(super) fn url(&mut self, url: &str) -> Result<(), CommandError> {
        match self.url.replace(url.to_owned()) {
            None => Ok(()),
            Some(_) => Err(CommandError::TwoUrls),
        }
    }

    /// Reads a header; only `Content-Type` matters.
    pub(super) fn header(&mut self, header: &str) {
        let header = header.to_lowercase();
        let (name, content) = header.split_once(':').unwrap_or((&header, ""));
        self.json |= name.trim() == "content-type" && content.contains("json");
    }
}

fn read_no_file(option: &str, data: String) -> Result<String, CommandError> {
    if data.starts_with('@') {
        return Err(CommandError::ReadsFile {
            what: format!("the data of {option}"),
        });
    }
    Ok(data)
}

/// Parses `content`, `=content` or `name=content`. Rejects `@file` and `name@file`.
fn encoded_by_curl(option: &str, data: &str) -> Result<Data, CommandError> {
    let file = data.find('@');
    match data.find('=') {
        Some(equals) if file.is_none_or(|file| equals < file) => {
            let (name, content) = data.split_at(equals);
            let content = content.get(1..).unwrap_or_default();
            Ok(Data::Plain(name.to_owned(), content.to_owned()))
        }
        _ if file.is_some() => Err(CommandError::ReadsFile {
            what: format!("the data of {option}"),
        }),
        _ => Ok(Data::Plain(data.to_owned(), String::new())),
    }
}

/// Parses `name=text` or `name=@path;type=…`.
fn part(option: &str, text: &str) -> Result<Part, CommandError> {
    let (name, content) = named(option, text)?;
    if content.starts_with('<') {
        return Err(CommandError::ReadsFile {
            what: format!("the content of {name}"),
        });
    }
    let content = content.trim_matches('"');
    match content.strip_prefix('@') {
        Some(path) => {
            let path = without_attributes(path).trim_matches('"').to_owned();
            Ok(Part::File(name.to_owned(), path))
        }
        None => Ok(Part::Text(
            name.to_owned(),
            without_attributes(content).to_owned(),
        )),
    }
}

/// Removes `;type=…` and similar attributes.
fn without_attributes(content: &str) -> &str {
    let ends = [";type=", ";filename=", ";headers=", ";encoder="];
    let end = ends
        .iter()
        .filter_map(|attribute| content.find(attribute))
        .min();
    content
        .get(..end.unwrap_or(content.len()))
        .unwrap_or(content)
}

fn named<'t>(option: &str, text: &'t str) -> Result<(&'t str, &'t str), CommandError> {
    text.split_once('=').ok_or_else(|| CommandError::NoContent {
        option: option.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Result<Command, CommandError> {
        client("curl")
            .unwrap()
            .parse(&shell_words::split(line).unwrap())
    }

    #[test]
    fn splits_combined_short_options() {
        let command =
            command("-sSXPOST -da=b -d c=d -o/dev/null -u me:secret https://x/v1/user/get")
                .unwrap();
        assert_eq!(command.method.as_deref(), Some("POST"));
        assert_eq!(
            command.data,
            [Data::Encoded("a=b".into()), Data::Encoded("c=d".into())]
        );
        assert_eq!(command.url.as_deref(), Some("https://x/v1/user/get"));
        assert_eq!(command.unknown, Vec::<String>::new());
    }

    #[test]
    fn keeps_values_that_curl_encodes() {
        let command = command("--data-urlencode dept=R&D% --data-urlencode =x x").unwrap();
        assert_eq!(
            command.data,
            [
                Data::Plain("dept".into(), "R&D%".into()),
                Data::Plain(String::new(), "x".into()),
            ]
        );
    }

    #[test]
    fn strips_part_attributes_and_quotes() {
        let command = command(
            r#"-F id=a -F 'pic_file=@"a;b.png";type=image/png' --form-string 'x=@y;type=z' u"#,
        )
        .unwrap();
        assert_eq!(
            command.parts,
            [
                Part::Text("id".into(), "a".into()),
                Part::File("pic_file".into(), "a;b.png".into()),
                Part::Text("x".into(), "@y;type=z".into()),
            ]
        );
    }

    #[test]
    fn rejects_data_from_files() {
        for line in [
            "-d @f u",
            "--data-binary @f u",
            "--data-urlencode a@f u",
            "-F a=<f u",
            "--json @f u",
        ] {
            assert!(
                matches!(command(line), Err(CommandError::ReadsFile { .. })),
                "{line}"
            );
        }
        assert!(command("--data-raw @f u").is_ok());
    }

    #[test]
    fn rejects_missing_values_and_second_urls() {
        assert!(matches!(
            command("https://x -d"),
            Err(CommandError::NoValue { .. })
        ));
        assert!(matches!(command("a b"), Err(CommandError::TwoUrls)));
        assert!(matches!(
            command("-F a u"),
            Err(CommandError::NoContent { .. })
        ));
    }
}
