//! An answer to compare, from wherever it is named: a file, standard input, a URL.

use std::{
    convert::Infallible,
    env, fmt,
    io::{self, Read as _},
    path::PathBuf,
    str::FromStr,
};

use anyhow::{Context as _, bail};
use mappings::{Arguments, Catalog, catalog::operation::Operation};
use migrate_audit::plain_file;
use recording::Redactor;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::replay::{API_KEY, API_SECRET, Client, Credentials, http, read};
use crate::v1_address;

/// What names an answer. `Display` shows no query of a URL and no user: either may be a secret.
#[derive(Clone)]
pub(crate) enum Given {
    File(PathBuf),
    /// `-`
    Input,
    Url(Url),
    /// What is wrong with an address; the address itself may show a secret, and who reads the command
    /// line would show it.
    NoAddress(String),
}

impl FromStr for Given {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text == "-" {
            return Ok(Self::Input);
        }
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        let is_of_web = |scheme: &str| {
            let mut known = ["http", "https"].iter();
            known.any(|known| scheme.eq_ignore_ascii_case(known))
        };
        if !scheme.is_some_and(is_of_web) {
            return Ok(Self::File(text.into()));
        }
        Ok(match Url::parse(text) {
            Ok(url) if url.username().is_empty() && url.password().is_none() => Self::Url(url),
            Ok(_) => Self::NoAddress(format!(
                "has a user, which is never sent; v1's credentials come from {API_KEY} and {API_SECRET}"
            )),
            Err(error) => Self::NoAddress(format!("cannot be read: {error}")),
        })
    }
}

impl Given {
    /// The v1 operation that a URL names, if it is one of v1's.
    pub(crate) fn operation<'c>(&self, catalog: &'c Catalog) -> Option<&'c Operation> {
        let Self::Url(url) = self else {
            return None;
        };
        let below = v1_address::below_prefix(url.path(), &catalog.protocol().prefix)?;
        catalog.find(&below)
    }

    /// The answer without secrets: a URL of v1 is asked as v1's programs did, with a form, every other one by GET and
    /// without credentials.
    ///
    /// # Errors
    ///
    /// If there is no answer, it is no JSON, or asking for it would change something.
    pub(crate) fn answer(&self, catalog: &Catalog, redactor: &Redactor) -> anyhow::Result<Value> {
        let text = match self {
            Self::File(path) => {
                plain_file::read_text(path).with_context(|| format!("{self} cannot be read"))?
            }
            Self::NoAddress(why) => bail!("an address {why}"),
            Self::Input => {
                let mut text = String::new();
                io::stdin()
                    .read_to_string(&mut text)
                    .context("standard input cannot be read")?;
                text
            }
            Self::Url(url) => {
                if let Some(operation) = self.operation(catalog) {
                    return self.of_v1(catalog, redactor, operation, url);
                }
                let mut answer = read(http(url)?.get(url.clone()).send(), &self.to_string())?;
                redactor.value(&mut answer);
                return Ok(answer);
            }
        };
        let mut answer =
            serde_json::from_str(&text).with_context(|| format!("{self} is not JSON"))?;
        redactor.value(&mut answer);
        Ok(answer)
    }

    fn of_v1(
        &self,
        catalog: &Catalog,
        redactor: &Redactor,
        operation: &Operation,
        url: &Url,
    ) -> anyhow::Result<Value> {
        if !operation.read {
            bail!("{self} would change something; only reads are asked");
        }
        let protocol = catalog.protocol();
        let query = form_urlencoded::parse(url.query().unwrap_or_default().as_bytes());
        let mut arguments: Arguments = query.into_owned().collect();
        let mut credential = |name: &str, variable: &str| {
            // Old programs wrote them into the address; there they would end up in logs.
            let written = arguments.text(name).map(str::to_owned);
            arguments.remove(name);
            let set = env::var(variable).ok().filter(|value| !value.is_empty());
            set.or(written)
                .with_context(|| format!("set {variable} to what v1 programs send to {self}"))
        };
        let (key, secret) = (
            credential(&protocol.key, API_KEY)?,
            credential(&protocol.secret, API_SECRET)?,
        );
        let credentials = Credentials {
            key: key.clone(),
            secret: secret.clone().into(),
        };
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        let end = base
            .path()
            .to_ascii_lowercase()
            .find(&format!("/{}/", protocol.prefix));
        let above = base
            .path()
            .get(..end.unwrap_or_default())
            .unwrap_or_default()
            .to_owned();
        base.set_path(&above);
        let client = Client::new(base.as_str(), credentials)?;
        let mut answer = client.ask(catalog, operation, &arguments)?;
        // What refuses credentials may quote them.
        redactor.value_without(&mut answer, &[&key, &secret]);
        Ok(answer)
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Input => f.write_str("standard input"),
            Self::NoAddress(_) => f.write_str("an address"),
            Self::Url(url) => {
                f.write_str(url.as_str().split(['?', '#']).next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({self})")
    }
}
