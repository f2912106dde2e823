//! `migrate translate`.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
};

use anyhow::Context as _;
use clap::ValueEnum;
use mappings::{Catalog, Site};
use serde::Serialize;

use crate::{
    exit::Exit,
    site_mappings::SiteMappings,
    translate::{self, V1Request},
};
use migrate_report::sheet::{self, Sheet};

/// A request on standard input is not longer than this, in bytes: a picture and some more.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Turn one v1 request into v2 requests, as curl commands; sends nothing
///
/// The v2 requests are those that the shim would send. What is secret is not shown: the commands
/// have shell variables in its place.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  migrate translate \"curl https://api.zoom.us/v1/user/get -d api_key=K -d api_secret=S -d id=abc\"
  migrate translate -- curl https://api.zoom.us/v1/user/get -d id=abc
  migrate translate 'https://api.zoom.us/v1/user/list?page_size=300'
  migrate translate user/update id=abc dept=Sales disable_chat=true
  pbpaste | migrate translate

Exit codes: 0 translated, 1 v1's answer is an error, 2 this is no v1 request.")]
pub(crate) struct Args {
    /// A curl command, a URL, or an operation with its form; - or nothing reads standard input.
    #[arg(value_name = "REQUEST")]
    request: Vec<String>,
    /// Commands for a shell, or all of it for programs.
    #[arg(long, value_enum, default_value_t = Format::Curl)]
    format: Format,
    #[command(flatten)]
    mappings: SiteMappings,
    /// Where v2 is.
    #[arg(long, value_name = "URL", value_parser = v2_base, default_value = "https://api.zoom.us/v2")]
    v2_base: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Curl,
    Json,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let catalog = args.mappings.catalog()?;
    let site = Site {
        options: catalog.options(&BTreeMap::new()).unwrap_or_default(),
        ..Site::default()
    };
    let request = match args.request.as_slice() {
        [] => from_stdin(&catalog)?,
        [dash] if dash == "-" => from_stdin(&catalog)?,
        words => V1Request::from_words(&catalog, words)?,
    };
    let mut sheet = Sheet::for_stdout();
    let (text, exit) = match translate::translate(&catalog, &site, &args.v2_base, request) {
        Ok(translated) => {
            translate::translated(&mut sheet, &translated);
            (rendered(args.format, &translated, sheet)?, Exit::Clean)
        }
        Err(refused) => {
            translate::refused(&mut sheet, &refused);
            (rendered(args.format, &refused, sheet)?, Exit::Findings)
        }
    };
    sheet::show(&text)?;
    Ok(exit)
}

fn rendered(format: Format, page: &impl Serialize, sheet: Sheet) -> anyhow::Result<String> {
    Ok(match format {
        Format::Curl => sheet.into_text(),
        Format::Json => serde_json::to_string_pretty(page)? + "\n",
    })
}

fn from_stdin(catalog: &Catalog) -> anyhow::Result<V1Request> {
    let mut text = String::new();
    if !sheet::stdin_is_terminal() {
        let mut input = io::stdin().lock().take(LONGEST + 1);
        input.read_to_string(&mut text).context("standard input")?;
    }
    anyhow::ensure!(
        text.len() as u64 <= LONGEST,
        "the request is longer than 16 MiB"
    );
    Ok(V1Request::from_text(catalog, &text)?)
}

fn v2_base(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_plain = |letter: char| letter.is_ascii_graphic() && !"?#{}[]\"'\\".contains(letter);
    if rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_plain)) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err("v2's base is a URL like https://api.zoom.us/v2".to_owned())
}
