//! `JUnit` XML: a test suite a file, a failed test a finding. Without any there is one test that
//! passed, as some servers take an empty report for a mistake.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{Report, advice, plain, title};
use migrate_audit::{Finding, Kind, Unreadable};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut files: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in report
        .findings
        .iter()
        .filter(|found| found.kind != Kind::Doc)
    {
        files.entry(&finding.path).or_default().push(finding);
    }
    let total: usize = files.values().map(Vec::len).sum();
    let failures = files.values().flatten().filter(|found| found.counts());
    let failures = failures.count().to_string();
    let errors = report.unreadable.len().to_string();
    let tests = (total.max(1) + report.unreadable.len()).to_string();
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("testsuites")
        .with_attributes([
            ("name", "migrate audit"),
            ("tests", tests.as_str()),
            ("failures", failures.as_str()),
            ("errors", errors.as_str()),
        ])
        .write_inner_content(|xml| {
            if files.is_empty() {
                nothing(xml)?;
            }
            for (path, findings) in &files {
                suite(xml, path, findings)?;
            }
            for unreadable in report.unreadable {
                unread(xml, unreadable)?;
            }
            Ok(())
        })?;
    writeln!(xml.into_inner())
}

fn nothing<W: Write>(xml: &mut Writer<W>) -> io::Result<()> {
    xml.create_element("testsuite")
        .with_attributes([("name", "all files"), ("tests", "1"), ("failures", "0")])
        .write_inner_content(|xml| {
            xml.create_element("testcase")
                .with_attributes([("classname", "all files"), ("name", "no use of v1")])
                .write_empty()?;
            Ok(())
        })?;
    Ok(())
}

fn unread<W: Write>(xml: &mut Writer<W>, unreadable: &Unreadable) -> io::Result<()> {
    let path = &*plain(&unreadable.path);
    xml.create_element("testsuite")
        .with_attributes([("name", path), ("tests", "1"), ("errors", "1")])
        .write_inner_content(|xml| {
            xml.create_element("testcase")
                .with_attributes([("classname", path), ("name", "is read")])
                .write_inner_content(|xml| {
                    xml.create_element("error")
                        .with_attribute(("message", unreadable.reason.as_str()))
                        .write_empty()?;
                    Ok(())
                })?;
            Ok(())
        })?;
    Ok(())
}

fn suite<W: Write>(xml: &mut Writer<W>, path: &str, findings: &[&Finding]) -> io::Result<()> {
    let path = &*plain(path);
    let skipped = findings
        .iter()
        .filter(|found| found.suppressed.is_some())
        .count();
    xml.create_element("testsuite")
        .with_attributes([
            ("name", path),
            ("tests", &findings.len().to_string()),
            ("failures", &(findings.len() - skipped).to_string()),
            ("skipped", &skipped.to_string()),
        ])
        .write_inner_content(|xml| {
            for finding in findings {
                case(xml, path, finding)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn case<W: Write>(xml: &mut Writer<W>, path: &str, finding: &Finding) -> io::Result<()> {
    let line = finding.line.to_string();
    let name = format!(
        "line {}: {} {}",
        finding.line,
        finding.kind.name(),
        title(finding)
    );
    xml.create_element("testcase")
        .with_attributes([
            ("classname", path),
            ("name", &*plain(&name)),
            ("file", path),
            ("line", &line),
        ])
        .write_inner_content(|xml| {
            match &finding.suppressed {
                Some(suppression) => {
                    let reason = suppression.reason.as_deref().unwrap_or("in the baseline");
                    xml.create_element("skipped")
                        .with_attribute(("message", &*plain(reason)))
                        .write_empty()?;
                }
                None => {
                    xml.create_element("failure")
                        .with_attributes([
                            ("type", finding.rule),
                            ("message", finding.reason.as_str()),
                        ])
                        .write_text_content(BytesText::new(&advice(finding)))?;
                }
            }
            Ok(())
        })?;
    Ok(())
}
