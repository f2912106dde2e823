//! `JUnit` XML: a test suite a file, a failed test a finding.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{Report, advice, title};
use crate::audit::finding::{Finding, Kind};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut files: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in report
        .findings
        .iter()
        .filter(|found| found.kind != Kind::Doc)
    {
        files.entry(&finding.path).or_default().push(finding);
    }
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("testsuites")
        .with_attribute(("name", "migrate audit"))
        .write_inner_content(|xml| {
            for (path, findings) in &files {
                suite(xml, path, findings)?;
            }
            Ok(())
        })?;
    writeln!(xml.into_inner())
}

fn suite<W: Write>(xml: &mut Writer<W>, path: &str, findings: &[&Finding]) -> io::Result<()> {
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
    let name = format!(
        "line {}: {} {}",
        finding.line,
        finding.kind.name(),
        title(finding)
    );
    xml.create_element("testcase")
        .with_attributes([("classname", path), ("name", name.as_str())])
        .write_inner_content(|xml| {
            match &finding.suppressed {
                Some(suppression) => {
                    let reason = suppression.reason.as_deref().unwrap_or("in the baseline");
                    xml.create_element("skipped")
                        .with_attribute(("message", reason))
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
