//! `migrate translate`.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Read as _},
    path::Path,
};

use anyhow::Context as _;
use mappings::{Catalog, Site};
use migrate_audit::plain_file;
use migrate_report::layout::TextLayout;
use serde_json::Value;

use super::output::{Format, Output};
use crate::{
    exit::Exit,
    site_mappings::SiteMappings,
    translate::{self, V1Request},
};

/// Maximum size of a request on standard input, in bytes; enough for a picture.
const MAX_REQUEST: u64 = 16 * 1024 * 1024;

/// Translate v1 requests to v2 requests, as curl commands; sends nothing
///
/// The v2 requests are those that the shim would send. Secrets are replaced with shell variables.
/// Variables of the v1 request are kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  migrate translate \"curl https://api.zoom.us/v1/user/get -d api_key=K -d api_secret=S -d id=abc\"
  migrate translate -- curl https://api.zoom.us/v1/user/get -d id=abc
  migrate translate 'https://api.zoom.us/v1/user/list?page_size=300'
  migrate translate user/update id=abc dept=Sales disable_chat=true
  migrate translate zoom.postman_collection.json
  pbpaste | migrate translate

Exit codes: 0 translated, 1 v1 returns an error, 2 not a v1 request, or one that depends on a
variable of unknown value.")]
pub(crate) struct Args {
    /// A curl, wget, `HTTPie` or `PowerShell` command, a URL, an operation with a form, or a file
    /// with one of these, an HTTP request, a Postman collection or HAR. Reads standard input if
    /// omitted or -
    #[arg(value_name = "REQUEST|FILE")]
    request: Vec<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    mappings: SiteMappings,
    /// Base URL of v2
    #[arg(long, value_name = "URL", value_parser = v2_base, default_value = "https://api.zoom.us/v2")]
    v2_base: String,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.output.check(&[Format::Text, Format::Json])?;
    let catalog = args.mappings.catalog()?;
    let site = Site {
        options: catalog.options(&BTreeMap::new()).unwrap_or_default(),
        ..Site::default()
    };
    let requests = requests(&catalog, &args.request)?;
    let mut layout = TextLayout::new(args.output.width());
    let mut exit = Exit::Clean;
    let mut pages: Vec<Value> = Vec::new();
    for (at, request) in requests.into_iter().enumerate() {
        if at > 0 {
            layout.blank();
        }
        pages.push(
            match translate::translate(&catalog, &site, &args.v2_base, request) {
                Ok(translated) => {
                    translate::translated(&mut layout, &translated);
                    serde_json::to_value(translated)?
                }
                Err(refused) => {
                    if refused.is_undecided() {
                        exit = Exit::Failed;
                    } else if exit == Exit::Clean {
                        exit = Exit::Findings;
                    }
                    translate::refused(&mut layout, &refused);
                    serde_json::to_value(refused)?
                }
            },
        );
    }
    let json = match pages.as_slice() {
        [_] => pages.remove(0),
        _ => pages.into(),
    };
    args.output.write_text(&layout.into_text(), &json)?;
    Ok(exit)
}

fn requests(catalog: &Catalog, words: &[String]) -> anyhow::Result<Vec<V1Request>> {
    let text = match words {
        [] => from_stdin()?,
        [dash] if dash == "-" => from_stdin()?,
        [word] if is_file(catalog, word) => {
            let path = Path::new(word.strip_prefix('@').unwrap_or(word));
            plain_file::read_text(path)
                .with_context(|| format!("{} cannot be read", path.display()))?
        }
        words => return Ok(V1Request::from_words(catalog, words)?),
    };
    Ok(V1Request::from_text(catalog, &text)?)
}

/// True if the word can only be a file name: the file exists, or the extension says so.
fn is_file(catalog: &Catalog, word: &str) -> bool {
    const KINDS: [&str; 6] = ["har", "http", "json", "rest", "sh", "txt"];
    let path = Path::new(word.strip_prefix('@').unwrap_or(word));
    let kind = path.extension().and_then(|kind| kind.to_str());
    let is_name = !word.contains(char::is_whitespace) && !word.contains("://");
    is_name
        && catalog.find(word).is_none()
        && (path.is_file()
            || word.starts_with('@')
            || kind.is_some_and(|kind| KINDS.contains(&kind)))
}

fn from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    if !io::stdin().is_terminal() {
        let mut input = io::stdin().lock().take(MAX_REQUEST + 1);
        input.read_to_string(&mut text).context("standard input")?;
    }
    anyhow::ensure!(
        text.len() as u64 <= MAX_REQUEST,
        "the request is longer than 16 MiB"
    );
    Ok(text)
}

fn v2_base(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_plain = |letter: char| letter.is_ascii_graphic() && !"?#{}[]\"'\\".contains(letter);
    if rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_plain)) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err("must be a URL like https://api.zoom.us/v2".to_owned())
}
