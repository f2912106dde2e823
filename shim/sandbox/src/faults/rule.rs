//! Fault rules: syntax, and the requests that they match.

use std::{fmt, io};

use serde::Deserialize;
use toml::{Table, Value};

use crate::engine::is_error;

/// Fault rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    method: Option<String>,
    path: Option<String>,
    pub(super) failure: Option<Failure>,
    pub(super) when: When,
    pub(super) delay_ms: Option<u64>,
    pub(super) retry_after: Option<String>,
    pub(super) share: f64,
    pub(super) times: Option<u32>,
}

/// Simulated response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Status(u16),
    /// JSON body with this status.
    Json(u16, String),
    /// Named v2 error.
    Error(String),
    Drop,
    Html,
    Truncate,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Json(status, _) => write!(f, "the chosen answer, with status {status}"),
            Self::Error(name) => write!(f, "the error {name}"),
            Self::Drop => f.write_str("no answer"),
            Self::Html => f.write_str("a page of HTML"),
            Self::Truncate => f.write_str("a truncated answer"),
        }
    }
}

/// Time of the failure: before or after the sandbox executes the request.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum When {
    #[default]
    Before,
    After,
}

/// Reason why fault rules are invalid.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    /// Unreadable file.
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    /// Invalid syntax or value.
    #[error("{0}")]
    Wrong(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fault: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    method: Option<String>,
    path: Option<String>,
    status: Option<u16>,
    error: Option<String>,
    answer: Option<Answer>,
    #[serde(default)]
    when: When,
    delay_ms: Option<u64>,
    retry_after: Option<String>,
    share: Option<f64>,
    times: Option<u32>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    /// Close the connection.
    Drop,
    /// Error of an expired token.
    ExpiredToken,
    /// HTML page instead of JSON.
    Html,
    /// Truncated JSON.
    Truncate,
}

/// Parses a file with `[[fault]]` sections.
pub(super) fn of_file(text: &str) -> Result<Vec<Rule>, FaultsError> {
    let file: File = toml::from_str(text).map_err(|error| wrong(&error))?;
    file.fault.into_iter().map(Rule::new).collect()
}

/// Parses `key=value,…` rules separated by `;`.
pub(super) fn of_spec(text: &str) -> Result<Vec<Rule>, FaultsError> {
    let rules = text.split(';').map(|rule| {
        let mut table = Table::new();
        for pair in rule.split(',') {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                wrong(&format!(
                    "{pair:?} is no key=value, as in path=/users/*,status=503"
                ))
            })?;
            table.insert(key.trim().to_owned(), scalar(key.trim(), value.trim()));
        }
        Rule::new(table.try_into().map_err(|error| wrong(&error))?)
    });
    rules.collect()
}

fn scalar(key: &str, value: &str) -> Value {
    // Always text: seconds or a date.
    if key == "retry_after" {
        return value.into();
    }
    let integer = value.parse::<i64>().map(Value::from);
    let number = || value.parse::<f64>().map(Value::from);
    integer
        .or_else(|_| number())
        .unwrap_or_else(|_| value.into())
}

fn wrong(error: &(impl ToString + ?Sized)) -> FaultsError {
    FaultsError::Wrong(error.to_string().trim_end().to_owned())
}

impl Rule {
    /// A rule that returns this body instead of the sandbox's response.
    pub(super) fn answering(status: u16, body: &str) -> Self {
        Self {
            method: None,
            path: None,
            failure: Some(Failure::Json(status, body.to_owned())),
            when: When::Before,
            delay_ms: None,
            retry_after: None,
            share: 1.0,
            times: None,
        }
    }

    fn new(written: Written) -> Result<Self, FaultsError> {
        let failure = match (written.status, written.error, written.answer) {
            (None, None, None) if written.delay_ms.is_some() => None,
            (None, None, None) => {
                return Err(wrong(
                    "a fault needs one of status, error, answer (drop, expired-token, html, truncate) and delay_ms",
                ));
            }
            (Some(status @ 400..=599), None, None) => Some(Failure::Status(status)),
            (Some(_), None, None) => return Err(wrong("the status of a fault is from 400 to 599")),
            (None, Some(error), None) if is_error(&error) => Some(Failure::Error(error)),
            (None, Some(error), None) => {
                return Err(wrong(&format!("there is no error {error:?}")));
            }
            (None, None, Some(Answer::Drop)) => Some(Failure::Drop),
            (None, None, Some(Answer::ExpiredToken)) => {
                Some(Failure::Error("expired_access_token".to_owned()))
            }
            (None, None, Some(Answer::Html)) => Some(Failure::Html),
            (None, None, Some(Answer::Truncate)) => Some(Failure::Truncate),
            _ => return Err(wrong("a fault has one of status, error and answer")),
        };
        let share = written.share.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&share) {
            return Err(wrong("the share of requests is from 0 to 1"));
        }
        if let Some(path) = &written.path
            && !path.starts_with('/')
        {
            return Err(wrong(&format!(
                "path {path:?} must start with /, as /users/*"
            )));
        }
        Ok(Self {
            method: written.method.map(|method| method.to_uppercase()),
            path: written.path,
            // Only an actual response can be truncated.
            when: match failure {
                Some(Failure::Truncate) => When::After,
                _ => written.when,
            },
            failure,
            delay_ms: written.delay_ms,
            retry_after: written.retry_after,
            share,
            times: written.times,
        })
    }

    /// True if the rule matches the request. `*` matches any one segment, and `/v2` may be omitted.
    pub(super) fn is_for(&self, method: &str, path: &str) -> bool {
        let path = path.strip_prefix("/v2").unwrap_or(path);
        let fits = |wanted: &String| {
            let (mut wanted, mut given) = (wanted.split('/'), path.split('/'));
            loop {
                match (wanted.next(), given.next()) {
                    (None, None) => return true,
                    (Some(wanted), Some(given)) if wanted == "*" || wanted == given => {}
                    _ => return false,
                }
            }
        };
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.path.as_ref().is_none_or(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(spec: &str) -> Rule {
        of_spec(spec).unwrap().remove(0)
    }

    #[test]
    fn a_rule_is_for_a_path_and_a_method() {
        let rule = one("method=patch,path=/users/*/settings,status=503");
        assert!(rule.is_for("PATCH", "/v2/users/u1/settings"));
        assert!(!rule.is_for("GET", "/v2/users/u1/settings"));
        assert!(!rule.is_for("PATCH", "/v2/users/u1"));
        assert!(!rule.is_for("PATCH", "/v2/users/u1/settings/x"));
        assert!(one("status=503").is_for("POST", "/oauth/token"));
    }

    #[test]
    fn file_and_spec_are_equivalent() {
        let file = "[[fault]]\npath = \"/users\"\nstatus = 429\nretry_after = \"1\"\nshare = 0.5\n\
                    [[fault]]\nanswer = \"drop\"\nwhen = \"after\"\ntimes = 2";
        let text = "path=/users,status=429,retry_after=1,share=0.5;answer=drop,when=after,times=2";
        let shown = |rules: Result<Vec<Rule>, _>| format!("{:?}", rules.unwrap());
        assert_eq!(shown(of_file(file)), shown(of_spec(text)));
    }

    #[test]
    fn errors_explain_the_syntax() {
        let specs = [
            "503",
            "path=/users",
            "status=200",
            "status=503,answer=drop",
            "error=nonsense",
            "answer=silence",
            "path=users,status=503",
            "status=503,share=2",
            "stats=503",
        ];
        let told: Vec<_> = specs
            .iter()
            .map(|spec| format!("{spec}\n  {}", of_spec(spec).unwrap_err()))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
