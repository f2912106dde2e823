//! `migrate explain`.

use super::output::{Format, Output, Report};
use crate::{
    exit::Exit,
    explain::{self, Topic},
    site_mappings::SiteMappings,
};

/// Show what becomes of a v1 operation, field or error in v2
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  migrate explain                     all operations at a glance
  migrate explain user/getbyemail     its v2 calls, parameters, answer, errors and scopes
  migrate explain lastLoginTime       where a parameter or an answer field is in v2
  migrate explain user                the operations of a resource, and their scopes
  migrate explain notifications       the push notifications, and the webhooks that serve them
  migrate explain 1010                what causes an error, and what to do
  migrate explain api_key             a word of v1's protocol

Exit codes: 0 success, 2 v1 had nothing of that name.")]
pub(crate) struct Args {
    /// An operation (user/get, custcreate, /v1/user/get, a URL), a parameter or answer field, a
    /// resource (user), or the number of an error. All operations if absent
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Show also what is exact, with its place in v2
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    mappings: SiteMappings,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.output.check(&Format::USUAL)?;
    let catalog = args.mappings.catalog()?;
    let topic = match &args.name {
        None => Topic::all(&catalog),
        Some(name) => Topic::find(&catalog, name)?,
    };
    let mut report = Report::new(topic.document(args.all), &topic);
    if args.name.is_none() {
        report.markdown = Some(explain::coverage(&catalog));
    }
    args.output.write(&report)?;
    Ok(Exit::Clean)
}
