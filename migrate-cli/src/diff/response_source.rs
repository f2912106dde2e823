//! A response to compare: from a file, standard input or a URL.

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

/// Where a response comes from. `Display` omits the query of a URL, which may hold secrets.
#[derive(Clone)]
pub(crate) enum ResponseSource {
    File(PathBuf),
    /// `-`
    Input,
    Url(Url),
    /// An invalid URL, with the reason. The URL itself is not kept: it may hold a secret, and clap
    /// would print it.
    InvalidUrl(String),
}

impl FromStr for ResponseSource {
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
            Ok(_) => Self::InvalidUrl(format!(
                "has credentials, which are never sent; set {API_KEY} and {API_SECRET}"
            )),
            Err(error) => Self::InvalidUrl(format!("is invalid: {error}")),
        })
    }
}

impl ResponseSource {
    /// The v1 operation of the URL, if it is a v1 URL.
    pub(crate) fn operation<'c>(&self, catalog: &'c Catalog) -> Option<&'c Operation> {
        let Self::Url(url) = self else {
            return None;
        };
        let below = v1_address::below_prefix(url.path(), &catalog.protocol().prefix)?;
        catalog.find(&below)
    }

    /// Reads the response and removes secrets. v1 URLs are requested as v1 clients did, with a
    /// form; other URLs with GET and without credentials.
    ///
    /// # Errors
    ///
    /// There is no response, it is not JSON, or the operation is a write.
    pub(crate) fn answer(&self, catalog: &Catalog, redactor: &Redactor) -> anyhow::Result<Value> {
        let text = match self {
            Self::File(path) => {
                plain_file::read_text(path).with_context(|| format!("{self} cannot be read"))?
            }
            Self::InvalidUrl(why) => bail!("the URL {why}"),
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
            bail!("{self} is a write; only reads are sent");
        }
        let protocol = catalog.protocol();
        let query = form_urlencoded::parse(url.query().unwrap_or_default().as_bytes());
        let mut arguments: Arguments = query.into_owned().collect();
        let mut credential = |name: &str, variable: &str| {
            // Old programs put credentials into the URL. They are moved to the form, because URLs
            // end up in logs.
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
        let mut answer = client.call(catalog, operation, &arguments)?;
        // A server that rejects credentials may quote them.
        redactor.value_without(&mut answer, &[&key, &secret]);
        Ok(answer)
    }
}

impl fmt::Display for ResponseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Input => f.write_str("standard input"),
            Self::InvalidUrl(_) => f.write_str("a URL"),
            Self::Url(url) => {
                f.write_str(url.as_str().split(['?', '#']).next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for ResponseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseSource({self})")
    }
}
