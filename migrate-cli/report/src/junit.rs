//! `JUnit` XML. A report without checks gets one that passed, because some servers treat an empty
//! report as an error.

use std::{collections::BTreeMap, io};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use crate::{
    Document, Printer,
    document::{Check, CheckOutcome},
    words::plain,
};

/// Prints the checks of a document.
#[derive(Clone, Copy, Debug)]
pub struct Junit;

impl Printer for Junit {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let nothing = [Check {
            suite: "all",
            name: document.summary.clone(),
            line: None,
            outcome: CheckOutcome::Passed,
        }];
        let checks = match document.checks.as_slice() {
            [] => &nothing,
            checks => checks,
        };
        let mut suites: BTreeMap<&str, Vec<&Check<'_>>> = BTreeMap::new();
        for check in checks {
            suites.entry(check.suite).or_default().push(check);
        }
        let all: Vec<&Check<'_>> = checks.iter().collect();
        let mut sums = sums(&all);
        if let Some((tests, failures)) = document.checked {
            sums[0].1 = tests.to_string();
            sums[1].1 = failures.to_string();
        }
        let mut xml = Writer::new_with_indent(out, b' ', 2);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        xml.create_element("testsuites")
            .with_attribute(("name", document.tool))
            .with_attributes(sums.iter().map(|(name, sum)| (*name, sum.as_str())))
            .write_inner_content(|xml| {
                for (name, checks) in suites {
                    suite(xml, &plain(name), &checks)?;
                }
                Ok(())
            })?;
        writeln!(xml.into_inner())
    }
}

fn sums(checks: &[&Check<'_>]) -> [(&'static str, String); 4] {
    let of = |is: fn(&CheckOutcome<'_>) -> bool| {
        let found = checks.iter().filter(|check| is(&check.outcome));
        found.count().to_string()
    };
    [
        ("tests", of(|_| true)),
        (
            "failures",
            of(|outcome| matches!(outcome, CheckOutcome::Failed(..))),
        ),
        (
            "errors",
            of(|outcome| matches!(outcome, CheckOutcome::Error(_))),
        ),
        (
            "skipped",
            of(|outcome| matches!(outcome, CheckOutcome::Skipped(_))),
        ),
    ]
}

fn suite<W: io::Write>(xml: &mut Writer<W>, name: &str, checks: &[&Check<'_>]) -> io::Result<()> {
    let sums = sums(checks);
    xml.create_element("testsuite")
        .with_attribute(("name", name))
        .with_attributes(sums.iter().map(|(name, sum)| (*name, sum.as_str())))
        .write_inner_content(|xml| checks.iter().try_for_each(|check| case(xml, name, check)))?;
    Ok(())
}

fn case<W: io::Write>(xml: &mut Writer<W>, suite: &str, check: &Check<'_>) -> io::Result<()> {
    let line = check.line.map(|line| line.to_string());
    let mut element = xml
        .create_element("testcase")
        .with_attributes([("classname", suite), ("name", &*plain(&check.name))]);
    if let Some(line) = &line {
        element = element.with_attributes([("file", suite), ("line", line.as_str())]);
    }
    if matches!(check.outcome, CheckOutcome::Passed) {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|xml| {
        match &check.outcome {
            CheckOutcome::Passed => {}
            CheckOutcome::Skipped(reason) => {
                let skipped = xml.create_element("skipped");
                skipped
                    .with_attribute(("message", &*plain(reason)))
                    .write_empty()?;
            }
            CheckOutcome::Error(reason) => {
                let error = xml.create_element("error");
                error.with_attribute(("message", *reason)).write_empty()?;
            }
            CheckOutcome::Failed(of_type, message, text) => {
                xml.create_element("failure")
                    .with_attributes([("type", *of_type), ("message", message.as_str())])
                    .write_text_content(BytesText::new(text))?;
            }
        }
        Ok(())
    })?;
    Ok(())
}
