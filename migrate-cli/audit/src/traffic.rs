//! Calls of v1 operations in access logs, compared with the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead},
};

use serde::Serialize;
use serde_json::Value;

use crate::{findings::Finding, kind::Kind, knowledge::Knowledge};

/// Maximum number of parameter names kept for an operation.
const KEPT: usize = 100;
/// Length above which a line that is not JSON is not a request, in bytes.
const LONGEST: usize = 1 << 20;

/// Calls of one operation in a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Number of calls.
    pub calls: usize,
    /// Parameters in query strings. An access log has none of those in bodies.
    pub parameters: BTreeSet<String>,
}

/// The calls in access logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Calls by operation.
    pub operations: BTreeMap<String, Calls>,
    /// Number of calls below v1's base URL whose path is not an operation.
    pub unknown: usize,
    /// Number of lines that are not a request.
    pub unreadable: usize,
}

/// Operations in the code compared with calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Joined {
    /// In the code, and called.
    pub live: Vec<String>,
    /// In the code, but not called.
    pub dormant: Vec<String>,
    /// Called, but not in the code: another program calls them.
    pub unknown_callers: Vec<String>,
}

impl Traffic {
    /// Reads a log: nginx and Apache (common, combined), JSON lines, or a HAR file.
    pub(crate) fn read(mut log: impl BufRead, knowledge: &Knowledge) -> io::Result<Self> {
        let mut traffic = Self::default();
        let mut first = true;
        let mut line = Vec::new();
        loop {
            line.clear();
            if log.read_until(b'\n', &mut line)? == 0 {
                return Ok(traffic);
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim();
            if first && text.starts_with('{') && serde_json::from_str::<Value>(text).is_err() {
                // An object over several lines: a HAR file.
                log.read_to_end(&mut line)?;
                traffic.har(&line, knowledge);
                return Ok(traffic);
            }
            first = false;
            if text.is_empty() {
                continue;
            }
            if text.len() > LONGEST && !text.starts_with('{') {
                traffic.unreadable += 1;
                continue;
            }
            let target = match serde_json::from_str::<Value>(text) {
                Ok(value) if value.get("log").is_some() => {
                    traffic.har(text.as_bytes(), knowledge);
                    continue;
                }
                Ok(value) => json_target(&value),
                Err(_) => combined_target(text).map(str::to_owned),
            };
            match target {
                Some(target) => drop(traffic.count(&target, knowledge)),
                None => traffic.unreadable += 1,
            }
        }
    }

    fn har(&mut self, bytes: &[u8], knowledge: &Knowledge) {
        let Ok(document) = serde_json::from_slice::<Value>(bytes) else {
            self.unreadable += 1;
            return;
        };
        let entries = document.pointer("/log/entries").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let Some(url) = entry.pointer("/request/url").and_then(Value::as_str) else {
                self.unreadable += 1;
                continue;
            };
            let operation = self.count(url, knowledge);
            let form = entry
                .pointer("/request/postData/params")
                .and_then(Value::as_array);
            for parameter in form.into_iter().flatten() {
                if let (Some(operation), Some(name)) = (&operation, parameter["name"].as_str()) {
                    self.parameter(operation, name);
                }
            }
        }
    }

    /// Counts a request by its path or URL, and returns its operation.
    fn count(&mut self, target: &str, knowledge: &Knowledge) -> Option<String> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let at = path.find("/v1/")?;
        let below = path.get(at + 4..).unwrap_or_default();
        let found = knowledge.path_at(below).filter(|found| !found.continues);
        let Some(operation) = found.and_then(|found| found.operation) else {
            let head = below.split('/').next().unwrap_or_default();
            if knowledge.is_head(&head.to_ascii_lowercase()) {
                self.unknown += 1;
            }
            return None;
        };
        self.operations.entry(operation.clone()).or_default().calls += 1;
        for pair in query.split('&') {
            let name = pair.split('=').next().unwrap_or_default();
            self.parameter(&operation, name);
        }
        Some(operation)
    }

    /// Adds the name of a parameter. Values are not kept: they may be secrets.
    fn parameter(&mut self, operation: &str, name: &str) {
        let plain = !name.is_empty()
            && name.len() < 60
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if let Some(calls) = self.operations.get_mut(operation)
            && plain
            && calls.parameters.len() < KEPT
        {
            calls.parameters.insert(name.to_owned());
        }
    }

    /// Adds the calls of another log.
    pub fn merge(&mut self, other: Self) {
        for (operation, calls) in other.operations {
            let known = self.operations.entry(operation).or_default();
            known.calls += calls.calls;
            known.parameters.extend(calls.parameters);
        }
        self.unknown += other.unknown;
        self.unreadable += other.unreadable;
    }

    /// Compares the operations in findings with the calls. Mentions do not count as code.
    pub fn join(&self, findings: &[Finding]) -> Joined {
        let code = findings
            .iter()
            .filter(|finding| finding.kind != Kind::Doc)
            .filter_map(|finding| finding.operation.as_deref());
        let called = self.operations.keys().map(String::as_str);
        Joined::of(&code.collect(), &called.collect())
    }
}

impl Joined {
    /// Compares the operations in the code with those that are called.
    pub fn of(code: &BTreeSet<&str>, called: &BTreeSet<&str>) -> Self {
        let (live, dormant) = code
            .iter()
            .map(|operation| (*operation).to_owned())
            .partition(|operation| called.contains(operation.as_str()));
        let unknown_callers = called
            .difference(code)
            .map(|operation| (*operation).to_owned())
            .collect();
        Self {
            live,
            dormant,
            unknown_callers,
        }
    }
}

/// The path in a line such as `… "POST /v1/user/get?id=1 HTTP/1.1" 200 …`.
fn combined_target(line: &str) -> Option<&str> {
    let request = line.split('"').nth(1)?;
    let mut words = request.split(' ');
    let method = words.next()?;
    let target = words.next()?;
    let verb = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    verb.then_some(target)
}

/// The path in a line of JSON, under the member names of common log formats.
fn json_target(value: &Value) -> Option<String> {
    const NAMES: [&str; 10] = [
        "/request_uri",
        "/uri",
        "/url",
        "/path",
        "/target",
        "/request/uri",
        "/request/url",
        "/http/url",
        "/httpRequest/requestUrl",
        "/request",
    ];
    let text = NAMES
        .iter()
        .find_map(|name| value.pointer(name).and_then(Value::as_str))?;
    // Some formats put the whole request line there.
    let target = text.split(' ').find(|word| word.contains('/'))?;
    Some(target.to_owned())
}

#[cfg(test)]
mod tests {
    use mappings::Catalog;

    use super::*;

    fn read(log: &str) -> Traffic {
        let catalog = Catalog::embedded().unwrap();
        let knowledge = Knowledge::from_catalog(&catalog, &[]);
        Traffic::read(log.as_bytes(), &knowledge).unwrap()
    }

    #[test]
    fn combined_and_json_lines_are_read() {
        let traffic = read(
            "127.0.0.1 - - [22/Nov/2026:10:00:00 +0000] \"POST /v1/user/get?api_key=K&api_secret=S&id=1 HTTP/1.1\" 200 5 \"-\" \"curl\"\n\
             {\"method\":\"POST\",\"uri\":\"/v1/user/list?page_size=30\"}\n\
             {\"request\":\"POST /v1/user/get HTTP/1.1\"}\n\
             127.0.0.1 - - [-] \"GET /index.html HTTP/1.1\" 200 5\n\
             127.0.0.1 - - [-] \"POST /v1/user/nothing HTTP/1.1\" 404 5\n\
             garbage\n",
        );
        assert_eq!(traffic.operations["user/get"].calls, 2);
        let names: Vec<_> = traffic.operations["user/get"].parameters.iter().collect();
        assert_eq!(names, ["api_key", "api_secret", "id"]);
        assert_eq!(traffic.operations["user/list"].calls, 1);
        assert_eq!((traffic.unknown, traffic.unreadable), (1, 1));
    }

    #[test]
    fn a_har_file_gives_forms_too() {
        let traffic = read(
            "{\n \"log\": {\"entries\": [{\"request\": {\"url\": \"https://api.zoom.us/v1/user/custcreate\",\n\
             \"postData\": {\"params\": [{\"name\": \"email\", \"value\": \"x\"}]}}}]}}\n",
        );
        let calls = &traffic.operations["user/custcreate"];
        assert_eq!(calls.calls, 1);
        assert!(calls.parameters.contains("email"));
    }
}
