//! Checks and their report, as text and as JSON.

use std::{fmt, io};

use anyhow::anyhow;
use recording::comparison::visible;
use serde_json::{Value, json};
use terminal_size::terminal_size_of;

use super::Failure;

/// Indent of continuation lines.
const DETAIL: &str = "      ";

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pass,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// The check in one word: `token`.
    name: &'static str,
    /// The subject: `tenant crm`, `api.zoom.us`.
    subject: String,
    status: Status,
    message: String,
    /// What to do; empty if it passed.
    remedy: String,
    /// Items that the message counts.
    details: Vec<String>,
}

/// All checks, in order.
#[derive(Debug, Default)]
pub(in crate::cli) struct Report(Vec<Check>);

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Check {
    pub(super) fn pass(
        name: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Status::Pass, name, subject, message, "")
    }

    pub(super) fn warn(
        name: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(Status::Warn, name, subject, message, remedy)
    }

    pub(super) fn fail(
        name: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(Status::Fail, name, subject, message, remedy)
    }

    fn new(
        status: Status,
        name: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            name,
            subject: subject.into(),
            status,
            message: message.into(),
            remedy: remedy.into(),
            details: Vec::new(),
        }
    }

    pub(super) fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

impl Report {
    pub(super) fn add(&mut self, check: Check) {
        self.0.push(check);
    }

    fn count(&self, status: Status) -> usize {
        self.0.iter().filter(|check| check.status == status).count()
    }

    /// Fails if a check failed.
    pub(in crate::cli) fn verdict(&self) -> Result<(), Failure> {
        match self.count(Status::Fail) {
            0 => Ok(()),
            1 => Err(Failure::Running(anyhow!("1 check failed"))),
            failed => Err(Failure::Running(anyhow!("{failed} checks failed"))),
        }
    }

    /// The report for standard output: wrapped to the width of a terminal; one line per check in a
    /// pipe.
    pub(in crate::cli) fn text(&self) -> String {
        match terminal_size_of(io::stdout()) {
            Some((width, _)) => self.wrapped(width.0.into()),
            None => self.to_string(),
        }
    }

    /// The report wrapped to `width` columns. A longer word or URL has its own line.
    fn wrapped(&self, width: usize) -> String {
        let wrap = |line: &str| {
            let options = textwrap::Options::new(width)
                .subsequent_indent(DETAIL)
                .word_splitter(textwrap::WordSplitter::NoHyphenation)
                .break_words(false);
            textwrap::fill(line, options) + "\n"
        };
        self.to_string().lines().map(wrap).collect()
    }

    pub(super) fn to_json(&self) -> Value {
        let checks = self.0.iter().map(|check| {
            json!({
                "check": check.name,
                "subject": check.subject,
                "status": check.status.as_str(),
                "message": check.message,
                "remedy": check.remedy,
                "details": check.details,
            })
        });
        json!({
            "version": env!("BUILD_VERSION"),
            "failed": self.count(Status::Fail),
            "warnings": self.count(Status::Warn),
            "checks": checks.collect::<Vec<_>>(),
        })
    }
}

/// Texts of servers are escaped, because control characters could move the cursor.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.0 {
            let Check { name, status, .. } = check;
            write!(f, "{}  {name:<8}  ", status.as_str())?;
            if !check.subject.is_empty() {
                write!(f, "{}: ", visible(&check.subject))?;
            }
            writeln!(f, "{}", visible(&check.message))?;
            for detail in &check.details {
                writeln!(f, "{DETAIL}{}", visible(detail))?;
            }
            if !check.remedy.is_empty() {
                writeln!(f, "{DETAIL}→ {}", check.remedy)?;
            }
        }
        let (passed, warned) = (self.count(Status::Pass), self.count(Status::Warn));
        let failed = self.count(Status::Fail);
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        writeln!(
            f,
            "\n{passed} passed, {warned} warning{}, {failed} failure{}",
            plural(warned),
            plural(failed)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_lines_except_for_long_words() {
        let mut report = Report::default();
        let url = "https://v2.example.com/".to_owned() + &"x".repeat(60);
        report.add(Check::warn(
            "read",
            "tenant crm",
            "400, v2's error 200: Webinar plan is missing. You must subscribe to the webinar plan",
            format!("set upstream.url, as {url}, or leave out the operations of this area"),
        ));
        for width in [40, 80, 120] {
            let text = report.wrapped(width);
            for line in text.lines() {
                let fits = line.chars().count() <= width;
                assert!(fits || line.contains(&url), "{width}: {text}");
            }
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&text), words(&report.to_string()), "nothing is lost");
        }
        assert!(
            report.wrapped(40).contains("\n      error 200"),
            "{}",
            report.wrapped(40)
        );
    }
}
