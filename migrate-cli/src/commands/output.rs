//! Output options shared by all commands: formats, files, width and color.

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
    layout,
    markdown::Markdown,
    sarif::Sarif,
    text::Text,
    words::{plain_json, plain_report},
};
use serde::Serialize;

/// Output flags.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "fields are flags")]
pub(crate) struct Output {
    /// Report format; can be given several times, each with its own --output
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Vec<Format>,
    /// Output file for each --format, in order; - is standard output
    #[arg(long, short, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Width of text in columns [default: the terminal's width, or 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(20..))]
    width: Option<u16>,
    /// Colors and links in text
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Deprecated: use --format json
    #[arg(long, hide = true)]
    json: bool,
}

/// Report format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for terminals.
    #[value(alias = "curl")]
    Text,
    /// One line per finding: path:line:column.
    Concise,
    /// One JSON object.
    Json,
    /// Markdown for tickets and reviews.
    Markdown,
    /// One self-contained HTML page.
    Html,
    /// CSV for spreadsheets.
    Csv,
    /// XML test report for build servers.
    Junit,
    /// GitHub Actions annotations.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// When to color text.
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

/// Renders the JSON report.
pub(crate) type Json<'a> = Box<dyn Fn() -> serde_json::Result<String> + 'a>;

/// A report with the per-format data that its document does not hold.
pub(crate) struct Report<'a> {
    pub(crate) document: Document<'a>,
    pub(crate) json: Json<'a>,
    /// SARIF settings, if the command supports SARIF.
    pub(crate) sarif: Option<Sarif<'a>>,
    /// Text options; width and color are set from the flags.
    pub(crate) text: Text,
}

impl<'a> Report<'a> {
    /// Creates a report whose JSON is a serialized value.
    pub(crate) fn new(document: Document<'a>, json: &'a impl Serialize) -> Self {
        Self::with_json(document, Box::new(|| serde_json::to_string_pretty(json)))
    }

    /// Creates a report with a custom JSON renderer.
    pub(crate) fn with_json(document: Document<'a>, json: Json<'a>) -> Self {
        Self {
            document,
            json,
            sarif: None,
            text: Text::default(),
        }
    }
}

impl Output {
    /// Rejects formats that the command does not support, and more files than formats.
    pub(crate) fn check(&self, known: &[Format]) -> anyhow::Result<()> {
        if self.output.len() > self.format.len() {
            bail!("more --output than --format options");
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

    /// Writes the report in all requested formats.
    pub(crate) fn write(&self, report: &Report<'_>) -> anyhow::Result<()> {
        if self.json {
            let _ = writeln!(io::stderr(), "warning: --json is now --format json");
        }
        self.write_each(|format, is_file| self.render(report, format, is_file))
    }

    /// Writes text that is already laid out, or the JSON of a value.
    pub(crate) fn write_text(&self, text: &str, json: &impl Serialize) -> anyhow::Result<()> {
        self.write_each(|format, _| match format {
            Format::Json => Ok(serde_json::to_string_pretty(json)? + "\n"),
            _ => Ok(text.to_owned()),
        })
    }

    fn write_each(
        &self,
        render: impl Fn(Format, bool) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        for (at, format) in self.formats().into_iter().enumerate() {
            let file = self.output.get(at).map(PathBuf::as_path);
            let file = file.filter(|path| *path != Path::new("-"));
            self.emit(file, &render(format, file.is_some())?)?;
        }
        Ok(())
    }

    /// Width of text in columns.
    pub(crate) fn width(&self) -> usize {
        self.width.map_or_else(layout::terminal_width, usize::from)
    }

    /// True if the only output is text on a terminal.
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
            Format::Text => &text,
            Format::Concise => &Concise,
            Format::Markdown => &Markdown,
            Format::Html => &Html,
            Format::Csv => &Csv,
            Format::Junit => &Junit,
            Format::Github => &Github,
            Format::Sarif => report
                .sarif
                .as_ref()
                .context("this command has no SARIF report")?,
        };
        let mut out = Vec::new();
        printer.print(&report.document, &mut out)?;
        let out = String::from_utf8(out)?;
        Ok(match format {
            // Text was sanitized piece by piece; the remaining control sequences are colors and
            // links.
            Format::Text => out,
            Format::Sarif => plain_json(&out).into_owned(),
            _ => plain_report(&out, false).into_owned(),
        })
    }
}

impl Format {
    /// Formats that every command supports.
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
