//! XML encoding of an answer.
//!
//! v1 wrote members as elements directly below the root `result`. The rest is undocumented and
//! chosen here: an array is an element with one child per item, named in the singular; null is an
//! empty element.

use quick_xml::escape::escape;
use serde_json::{Map, Value};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const ROOT: &str = "result";

/// Encodes the members of an answer.
pub(super) fn document(members: &Map<String, Value>) -> String {
    let mut xml = DECLARATION.to_owned();
    element(&mut xml, ROOT, |xml| object(xml, members));
    xml
}

fn object(xml: &mut String, members: &Map<String, Value>) {
    for (name, value) in members {
        let name = element_name(name);
        element(xml, &name, |xml| content(xml, &name, value));
    }
}

fn content(xml: &mut String, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(value) => xml.push_str(&value.to_string()),
        Value::Number(number) => xml.push_str(&number.to_string()),
        Value::String(value) => text(xml, value),
        Value::Object(members) => object(xml, members),
        Value::Array(items) => {
            let item_name = singular(name);
            for item in items {
                element(xml, item_name, |xml| content(xml, item_name, item));
            }
        }
    }
}

fn element(xml: &mut String, name: &str, content: impl FnOnce(&mut String)) {
    xml.extend(["<", name, ">"]);
    content(xml);
    xml.extend(["</", name, ">"]);
}

/// XML 1.0 cannot represent most control characters, and parsers convert a bare carriage return to
/// a line feed.
fn text(xml: &mut String, value: &str) {
    let legal: String = value
        .chars()
        .map(|char| match char {
            '\t' | '\n' | '\r' => char,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
            char => char,
        })
        .collect();
    xml.push_str(&escape(legal).replace('\r', "&#13;"));
}

/// Replaces characters that are invalid in element names by `_`, so that any field name of a
/// catalog gives a well-formed document.
fn element_name(name: &str) -> String {
    let mut legal: String = name
        .chars()
        .map(|char| match char {
            '_' | '-' | '.' => char,
            char if char.is_ascii_alphanumeric() => char,
            _ => '_',
        })
        .collect();
    if !legal.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic()) {
        legal.insert(0, '_');
    }
    legal
}

fn singular(name: &str) -> &str {
    match name.strip_suffix('s') {
        Some(singular) if !singular.is_empty() => singular,
        _ => "item",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::{Reader, events::Event};
    use serde_json::json;

    use super::*;

    /// The text of the only member, as a parser reads it.
    fn read_back(xml: &str) -> String {
        let mut reader = Reader::from_str(xml);
        let mut text = String::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(part) => {
                    let reference = format!("&{};", &*part);
                    text.push_str(&quick_xml::escape::unescape(&reference).unwrap());
                }
                Event::Eof => return text,
                _ => {}
            }
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(value in "[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\u{fffe}\\u{ffff}]{0,40}") {
            let members = json!({ "dept": value });
            let xml = document(members.as_object().unwrap());
            let root = xml.split_once('\n').unwrap().1;
            prop_assert_eq!(read_back(root), value);
        }

        #[test]
        fn every_document_is_well_formed(name in any::<String>(), value in any::<String>()) {
            let members = json!({ name: [value] });
            let xml = document(members.as_object().unwrap());
            read_back(&xml);
            let illegal = |char: char| char < ' ' && !"\t\r\n".contains(char);
            prop_assert!(!xml.contains(illegal));
        }
    }
}
