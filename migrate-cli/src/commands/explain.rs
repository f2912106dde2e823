//! `migrate explain`.

use anyhow::bail;

use super::output::{Format, Output, Report};
use crate::{exit::Exit, explain::Topic, site_mappings::SiteMappings};

/// Show how a v1 operation, field or error maps to v2
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  migrate explain                     all operations at a glance
  migrate explain user/getbyemail     its v2 calls, parameters, response, errors and scopes
  migrate explain lastLoginTime       where a parameter or a response field is in v2
  migrate explain user                the operations of a resource, and their scopes
  migrate explain notifications       push notifications and the webhooks they are built from
  migrate explain 1010                causes of an error, and what to do
  migrate explain 'User not exist'    the same, by the error's message
  migrate explain api_key             a term of v1's protocol

Exit codes: 0 success, 2 unknown name.")]
pub(crate) struct Args {
    /// An operation (user/get, custcreate, /v1/user/get, a URL), a parameter or response field, also
    /// by its name in v2, a resource (user), or an error by its code or message. All operations if
    /// omitted
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Also show exact fields, with their place in v2
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
        Some(name) => {
            Topic::find(&catalog, name).or_else(|error| match super::rules::knows(name) {
                Ok(true) => bail!("{name} belongs to the audit; see `migrate rules {name}`"),
                _ => Err(error.into()),
            })?
        }
    };
    args.output
        .write(&Report::new(topic.document(args.all), &topic))?;
    Ok(Exit::Clean)
}
