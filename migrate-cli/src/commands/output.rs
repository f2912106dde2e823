//! How all commands write: formats, files, widths and colours.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context as _, bail};
use clap::ValueEnum;
use migrate_report::{
    Document, Printer,
    concise::Concise,
    csv::Csv,
    github::Github,
    html::Html,
    junit::Junit,
    markdown::Markdown,
    sarif::Sarif,
    sheet,
    text::Text,
    words::{plain_json, plain_report},
};
use serde::Serialize;

/// The flags for what a command writes.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "fields are flags")]
pub(crate) struct Output {
    /// The format of the report; give several, each with its own --output
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Vec<Format>,
    /// Where the report goes, in the order of --format; - is standard output
    #[arg(long, short, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Columns of text [default: those of the terminal, or 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(20..))]
    width: Option<u16>,
    /// Colours and links in text
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// The old name of --format json
    #[arg(long, hide = true)]
    json: bool,
}

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people at a terminal.
    #[value(alias = "curl")]
    Text,
    /// A line for each finding: path:line:column.
    Concise,
    /// For programs: one object.
    Json,
    /// For tickets and reviews.
    Markdown,
    /// One page without external resources.
    Html,
    /// For spreadsheets.
    Csv,
    /// For test reports of a build.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// When text has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[value(help = "On a terminal, unless NO_COLOR is set")]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What makes the object for programs.
pub(crate) type Json<'a> = Box<dyn Fn() -> serde_json::Result<String> + 'a>;

/// What a command writes.
pub(crate) struct Report<'a> {
    pub(crate) document: Document<'a>,
    /// The object for programs.
    pub(crate) json: Json<'a>,
    /// What code scanning shows.
    pub(crate) sarif: Option<Sarif<'a>>,
    /// What Markdown has instead of the document.
    pub(crate) markdown: Option<String>,
    /// How text is printed; width and colours come from the flags.
    pub(crate) text: Text,
}

impl<'a> Report<'a> {
    /// A report whose JSON is a value.
    pub(crate) fn new(document: Document<'a>, json: &'a impl Serialize) -> Self {
        Self::with_json(document, Box::new(|| serde_json::to_string_pretty(json)))
    }

    /// A report with its JSON.
    pub(crate) fn with_json(document: Document<'a>, json: Json<'a>) -> Self {
        Self {
            document,
            json,
            sarif: None,
            markdown: None,
            text: Text::default(),
        }
    }
}

impl Output {
    /// Fails if a format is asked for that the command does not have, or more files than formats.
    pub(crate) fn check(&self, known: &[Format]) -> anyhow::Result<()> {
        if self.output.len() > self.format.len() {
            bail!("there are more --output than --format");
        }
        for format in self.formats() {
            if !known.contains(&format) {
                let known: Vec<_> = known.iter().map(|format| format.name()).collect();
                bail!(
                    "--format {} is not for this command; it has {}",
                    format.name(),
                    known.join(", ")
                );
            }
        }
        Ok(())
    }

    /// Writes a report in all its formats.
    pub(crate) fn write(&self, report: &Report<'_>) -> anyhow::Result<()> {
        if self.json {
            let _ = writeln!(io::stderr(), "warning: --json is now --format json");
        }
        for (at, format) in self.formats().into_iter().enumerate() {
            let file = self
                .output
                .get(at)
                .filter(|path| path.as_path() != Path::new("-"));
            let text = self.render(report, format, file.is_some())?;
            self.emit(file.map(PathBuf::as_path), &text)?;
        }
        Ok(())
    }

    /// Writes text that is laid out already, or the JSON of a value.
    pub(crate) fn write_text(&self, text: &str, json: &impl Serialize) -> anyhow::Result<()> {
        for (at, format) in self.formats().into_iter().enumerate() {
            let file = self
                .output
                .get(at)
                .filter(|path| path.as_path() != Path::new("-"));
            let json = match format {
                Format::Json => Some(serde_json::to_string_pretty(json)? + "\n"),
                _ => None,
            };
            self.emit(file.map(PathBuf::as_path), json.as_deref().unwrap_or(text))?;
        }
        Ok(())
    }

    /// How many columns text has.
    pub(crate) fn width(&self) -> usize {
        self.width.map_or_else(sheet::terminal_width, usize::from)
    }

    /// True if text, and nothing else, goes to a terminal.
    pub(crate) fn is_on_screen(&self) -> bool {
        self.formats() == [Format::Text] && self.output.is_empty() && io::stdout().is_terminal()
    }

    fn formats(&self) -> Vec<Format> {
        if self.json {
            vec![Format::Json]
        } else {
            self.format.clone()
        }
    }

    fn emit(&self, file: Option<&Path>, text: &str) -> anyhow::Result<()> {
        let is_styled = self.is_styled(file.is_some());
        let plain = (!is_styled).then(|| anstream::adapter::strip_str(text).to_string());
        let text = plain.as_deref().unwrap_or(text);
        if let Some(path) = file {
            fs::write(path, text)
                .with_context(|| format!("the report cannot be written to {}", path.display()))
        } else {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            Ok(out.flush()?)
        }
    }

    fn is_styled(&self, is_file: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !is_file && AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        }
    }

    fn render(&self, report: &Report<'_>, format: Format, is_file: bool) -> anyhow::Result<String> {
        let is_styled = self.is_styled(is_file);
        let mut text = report.text.clone();
        text.width = self.width();
        text.is_styled = is_styled;
        if !(is_styled && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout)) {
            text.links = None;
        }
        let printer: &dyn Printer = match format {
            Format::Json => return Ok(plain_json(&(report.json)()?).into_owned() + "\n"),
            Format::Markdown if report.markdown.is_some() => {
                return Ok(report.markdown.clone().unwrap_or_default());
            }
            Format::Text => &text,
            Format::Concise => &Concise,
            Format::Markdown => &Markdown,
            Format::Html => &Html,
            Format::Csv => &Csv,
            Format::Junit => &Junit,
            Format::Github => &Github,
            Format::Sarif => report.sarif.as_ref().context("there is no SARIF of this")?,
        };
        let mut out = Vec::new();
        printer.print(&report.document, &mut out)?;
        let out = String::from_utf8(out)?;
        Ok(match format {
            // Its pieces are plain; what is left are colours and links.
            Format::Text => out,
            Format::Sarif => plain_json(&out).into_owned(),
            _ => plain_report(&out, false).into_owned(),
        })
    }
}

impl Format {
    /// Formats of every command.
    pub(crate) const USUAL: [Self; 5] = [
        Self::Text,
        Self::Json,
        Self::Markdown,
        Self::Html,
        Self::Csv,
    ];

    fn name(self) -> String {
        let value = self.to_possible_value();
        value
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}
