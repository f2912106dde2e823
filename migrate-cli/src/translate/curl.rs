//! A curl command line, as far as it says which request is sent.

use super::curl_options::{SWITCH_NAMES, VALUE_LETTERS, VALUE_NAMES};

/// What a curl command line sends.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) url: Option<String>,
    /// The method, if it is named.
    pub(super) method: Option<String>,
    /// `-G`: the data go into the query.
    pub(super) get: bool,
    /// `--json`, or a header that says so.
    pub(super) json: bool,
    pub(super) data: Vec<Data>,
    pub(super) parts: Vec<Part>,
    /// More for the query.
    pub(super) query: Vec<Data>,
    /// Options that are not known, and were taken for switches.
    pub(super) unknown: Vec<String>,
}

/// One `-d`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// As it stands, encoded already.
    Encoded(String),
    /// A name, and a value that curl encodes.
    Plain(String, String),
}

/// One `-F`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String, String),
    /// A file, by the path that curl reads it from.
    File(String, String),
}

/// Why a curl command line cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CurlError {
    /// Only curl itself can do this.
    #[error(
        "curl would read {what} from a file; `migrate translate` reads none: put the content in its place"
    )]
    ReadsFile {
        /// The option.
        what: String,
    },
    /// The last option lacks its value.
    #[error("curl's option {option} needs a value")]
    NoValue {
        /// The option.
        option: String,
    },
    /// A `-F` without `=`.
    #[error("curl's option {option} needs name=content")]
    NoContent {
        /// The option.
        option: String,
    },
    /// One request at a time.
    #[error("the curl command has more than one URL; translate one request at a time")]
    TwoUrls,
}

/// Reads the words after `curl`.
pub(super) fn parse(words: &[String]) -> Result<Command, CurlError> {
    let mut command = Command::default();
    let mut words = words.iter();
    let mut only_urls = false;
    while let Some(word) = words.next() {
        let mut value = |option: &str| {
            words.next().cloned().ok_or_else(|| CurlError::NoValue {
                option: option.to_owned(),
            })
        };
        match word.strip_prefix("--") {
            _ if only_urls => command.url(word)?,
            Some("") => only_urls = true,
            Some(name) => command.long(name, &mut value)?,
            None => match word.strip_prefix('-') {
                None | Some("") => command.url(word)?,
                Some(letters) => command.letters(letters, &mut value)?,
            },
        }
    }
    Ok(command)
}

type Value<'v> = &'v mut dyn FnMut(&str) -> Result<String, CurlError>;

impl Command {
    fn url(&mut self, url: &str) -> Result<(), CurlError> {
        match self.url.replace(url.to_owned()) {
            None => Ok(()),
            Some(_) => Err(CurlError::TwoUrls),
        }
    }

    /// `-sSXPOST`, `-d a=b`: several switches, and an option whose value may follow at once.
    fn letters(&mut self, letters: &str, value: Value<'_>) -> Result<(), CurlError> {
        for (at, letter) in letters.char_indices() {
            let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            let name = match letter {
                'd' => "data",
                'F' => "form",
                'H' => "header",
                'X' => "request",
                'G' => {
                    self.get = true;
                    continue;
                }
                'I' => {
                    self.method.get_or_insert_with(|| "HEAD".to_owned());
                    continue;
                }
                letter if VALUE_LETTERS.contains(letter) => "output",
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
            return self.long(name, &mut given);
        }
        Ok(())
    }

    fn long(&mut self, name: &str, value: Value<'_>) -> Result<(), CurlError> {
        let option = format!("--{name}");
        match name {
            "url" => {
                let url = value(&option)?;
                self.url(&url)?;
            }
            "request" => self.method = Some(value(&option)?),
            "get" => self.get = true,
            "head" => self.method = Some("HEAD".to_owned()),
            "header" => {
                let header = value(&option)?.to_lowercase();
                let (name, content) = header.split_once(':').unwrap_or((&header, ""));
                let is_json = name.trim() == "content-type" && content.contains("json");
                self.json |= is_json;
            }
            "json" => {
                self.json = true;
                let data = read_no_file(&option, value(&option)?)?;
                self.data.push(Data::Encoded(data));
            }
            "data" | "data-ascii" | "data-binary" => {
                let data = read_no_file(&option, value(&option)?)?;
                self.data.push(Data::Encoded(data));
            }
            "data-raw" => self.data.push(Data::Encoded(value(&option)?)),
            "data-urlencode" => self.data.push(encoded_by_curl(&option, &value(&option)?)?),
            "url-query" => {
                let query = value(&option)?;
                self.query.push(match query.strip_prefix('+') {
                    Some(encoded) => Data::Encoded(encoded.to_owned()),
                    None => encoded_by_curl(&option, &query)?,
                });
            }
            "form" => self.parts.push(part(&option, &value(&option)?)?),
            "form-string" => {
                let text = value(&option)?;
                let (name, text) = named(&option, &text)?;
                self.parts
                    .push(Part::Text(name.to_owned(), text.to_owned()));
            }
            name if VALUE_NAMES.contains(&name) => drop(value(&option)?),
            name if SWITCH_NAMES.contains(&name) || name.starts_with("no-") => {}
            // Without a value, which may be a secret.
            _ => self
                .unknown
                .extend(option.split('=').next().map(str::to_owned)),
        }
        Ok(())
    }
}

fn read_no_file(option: &str, data: String) -> Result<String, CurlError> {
    if data.starts_with('@') {
        return Err(CurlError::ReadsFile {
            what: format!("the data of {option}"),
        });
    }
    Ok(data)
}

/// `content`, `=content`, `name=content`; `@file` and `name@file` are not to be had.
fn encoded_by_curl(option: &str, data: &str) -> Result<Data, CurlError> {
    let file = data.find('@');
    match data.find('=') {
        Some(equals) if file.is_none_or(|file| equals < file) => {
            let (name, content) = data.split_at(equals);
            let content = content.get(1..).unwrap_or_default();
            Ok(Data::Plain(name.to_owned(), content.to_owned()))
        }
        _ if file.is_some() => Err(CurlError::ReadsFile {
            what: format!("the data of {option}"),
        }),
        _ => Ok(Data::Plain(data.to_owned(), String::new())),
    }
}

/// `name=text`, `name=@path;type=…`.
fn part(option: &str, text: &str) -> Result<Part, CurlError> {
    let (name, content) = named(option, text)?;
    if content.starts_with('<') {
        return Err(CurlError::ReadsFile {
            what: format!("the part {name}"),
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

/// Without `;type=…` and the like.
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

fn named<'t>(option: &str, text: &'t str) -> Result<(&'t str, &'t str), CurlError> {
    text.split_once('=').ok_or_else(|| CurlError::NoContent {
        option: option.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Result<Command, CurlError> {
        parse(&shell_words::split(line).unwrap())
    }

    #[test]
    fn switches_and_a_value_may_share_a_word() {
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
    fn what_curl_encodes_is_not_decoded() {
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
    fn parts_lose_their_attributes_and_quotes() {
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
    fn no_file_is_read() {
        for line in [
            "-d @f u",
            "--data-binary @f u",
            "--data-urlencode a@f u",
            "-F a=<f u",
            "--json @f u",
        ] {
            assert!(
                matches!(command(line), Err(CurlError::ReadsFile { .. })),
                "{line}"
            );
        }
        assert!(command("--data-raw @f u").is_ok());
    }

    #[test]
    fn values_must_be_there_and_urls_single() {
        assert!(matches!(
            command("https://x -d"),
            Err(CurlError::NoValue { .. })
        ));
        assert!(matches!(command("a b"), Err(CurlError::TwoUrls)));
        assert!(matches!(
            command("-F a u"),
            Err(CurlError::NoContent { .. })
        ));
    }
}
