//! `migrate explain`.

use clap::ValueEnum;
use mappings::Catalog;
use serde::Serialize;

use crate::{
    exit::Exit,
    explain::{self, NotificationsPage, OperationPage, Overview, Topic},
    site_mappings::SiteMappings,
};
use migrate_report::sheet::{self, Sheet};

/// Say what becomes of a v1 operation or field
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  migrate explain                     all operations at a glance
  migrate explain user/getbyemail     the v2 calls, parameters, answer fields and errors
  migrate explain lastLoginTime       where a parameter or an answer field lives in v2
  migrate explain user                the operations of a resource
  migrate explain notifications       the push notifications, and the webhooks that serve them

Exit codes: 0 explained, 2 v1 had nothing of that name.")]
pub(crate) struct Args {
    /// An operation, as user/get, /v1/user/get or a URL; a parameter or answer field; or a
    /// resource, as user. All operations if absent.
    #[arg(value_name = "OPERATION|FIELD")]
    name: Option<String>,
    /// Show also what is exact, with its place in v2.
    #[arg(long)]
    all: bool,
    /// Markdown is the coverage table of all operations; it takes no name.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    mappings: SiteMappings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let catalog = args.mappings.catalog()?;
    let text = match &args.name {
        None => overview(&catalog, None, args.format)?,
        Some(_) if args.format == Format::Markdown => {
            anyhow::bail!("--format markdown is the table of all operations: leave the name out")
        }
        Some(name) => match Topic::find(&catalog, name)? {
            Topic::Resource(resource) => overview(&catalog, Some(resource), args.format)?,
            Topic::Notifications => {
                let page = NotificationsPage::new(&catalog);
                rendered(args.format, &page, |sheet| {
                    explain::text::notifications(sheet, &page, args.all);
                })?
            }
            Topic::Operation(operation) => {
                let page = OperationPage::new(&catalog, operation);
                rendered(args.format, &page, |sheet| {
                    explain::text::operation(sheet, &page, args.all);
                })?
            }
            Topic::Field(page) => rendered(args.format, &page, |sheet| {
                explain::text::field(sheet, &page);
            })?,
        },
    };
    sheet::show(&text)?;
    Ok(Exit::Clean)
}

fn overview(catalog: &Catalog, resource: Option<&str>, format: Format) -> anyhow::Result<String> {
    if format == Format::Markdown {
        return Ok(explain::coverage(catalog));
    }
    let overview = Overview::new(catalog, resource);
    rendered(format, &overview, |sheet| {
        explain::text::overview(sheet, &overview);
    })
}

fn rendered(
    format: Format,
    page: &impl Serialize,
    write: impl FnOnce(&mut Sheet),
) -> anyhow::Result<String> {
    if format == Format::Json {
        return Ok(serde_json::to_string_pretty(page)? + "\n");
    }
    let mut sheet = Sheet::for_stdout();
    write(&mut sheet);
    Ok(sheet.into_text())
}
