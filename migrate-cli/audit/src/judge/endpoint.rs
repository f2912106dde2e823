//! Decides whether a path without its base URL is a v1 endpoint.
//!
//! Three lists of heuristics decide, each heuristic one function: [`EXCLUSIONS`] reject a path, the
//! first matching [`CLUES`] entry sets its confidence and reason, and [`NAMESAKES`] reject paths
//! that match a clue, but belong to v2 or to no API.

use std::collections::BTreeSet;

use crate::{
    facts::{
        FileFacts, Signal,
        shape::Shape,
        syntax::{Role, Text},
    },
    judge::{Judge, purpose::Purpose},
    kind::{
        Confidence::{self, High, Low, Medium},
        Kind,
    },
    language::{Format, Language},
    names::{contains_zoom, last_identifier},
    rules::{Words, has},
};

/// Number of operations in a file that make it a table of v1's operations.
const TABLE: usize = 3;

/// A path with the signs around it that several heuristics use.
#[expect(clippy::struct_excessive_bools, reason = "independent signs")]
pub(super) struct Endpoint<'a> {
    judge: &'a Judge<'a>,
    file: &'a FileFacts,
    signal: &'a Signal,
    operation: Option<&'a str>,
    path: &'a str,
    /// The function that takes the path, as an argument or through a variable; empty if there is
    /// none.
    callee: &'a str,
    purpose: Purpose,
    /// The file has a base URL of v1 or the URL of an operation.
    base_in_file: bool,
    /// The callee is a request helper of the project.
    given_to_helper: bool,
    /// The file, the callee or a name concatenated with the path contains the word zoom.
    mentions_zoom: bool,
    /// The path is concatenated with a variable that holds a base URL.
    joins_base: bool,
    /// Only v1 has the path.
    distinctive: bool,
}

/// Evidence that a path belongs to v1.
struct Clue {
    holds: fn(&Endpoint<'_>) -> bool,
    weight: Confidence,
    reason: &'static str,
}

/// Reasons to reject a path in spite of any clue, cheapest first.
const EXCLUSIONS: [fn(&Endpoint<'_>) -> bool; 5] = [
    of_another_service,
    of_the_program_itself,
    in_a_dump,
    requested_from_own_server,
    misspelt_without_proof,
];

/// Clues by falling confidence. The reasons are part of the reports.
const CLUES: [Clue; 10] = [
    Clue {
        holds: |path| path.base_in_file,
        weight: High,
        reason: "the v1 base URL is in the same file",
    },
    Clue {
        holds: joined_to_v1_base,
        weight: High,
        reason: "joined to the v1 base URL of the project",
    },
    Clue {
        holds: requested_with_v1_credentials,
        weight: High,
        reason: "requested with v1's credentials as parameters",
    },
    Clue {
        holds: given_to_own_request_function,
        weight: High,
        reason: "given to the project's own request function",
    },
    Clue {
        holds: in_the_client_of_a_v1_project,
        weight: High,
        reason: "the v1 base URL is in the same project",
    },
    Clue {
        holds: only_v1_in_a_v1_project,
        weight: Medium,
        reason: "only v1 has it, and the project has the v1 base URL",
    },
    Clue {
        holds: requested_like_v1_paths,
        weight: Medium,
        reason: "requested like paths that only v1 has",
    },
    Clue {
        holds: versioned_on_a_zoom_base,
        weight: Medium,
        reason: "a path of v1 on a base URL that is named after Zoom",
    },
    Clue {
        holds: v1_path_on_v2_base,
        weight: Medium,
        reason: "a path of v1 on a base URL of v2",
    },
    Clue {
        holds: v1_paths_in_a_zoom_client,
        weight: Low,
        reason: "requested like v1's paths, in a program that mentions Zoom",
    },
];

/// Reasons why a path with a clue belongs to v2 or to no API.
const NAMESAKES: [fn(&Endpoint<'_>) -> bool; 2] = [namesake_in_v2, stray_without_sibling];

impl<'a> Endpoint<'a> {
    /// Collects the signs around a path.
    pub(super) fn new(
        judge: &'a Judge<'a>,
        file: &'a FileFacts,
        signal: &'a Signal,
        operation: Option<&'a str>,
        path: &'a str,
    ) -> Self {
        let (evidence, words) = (judge.evidence, &judge.rules.words);
        let callee = signal.text.taker().unwrap_or_default();
        let given_to_helper = judge.is_helper(callee);
        let mentions_zoom = file.zoom
            || contains_zoom(callee)
            || signal.joined.iter().any(|name| contains_zoom(name));
        let joins_base = signal
            .joined
            .iter()
            .chain(&signal.text.passed)
            .map(|name| name.to_ascii_lowercase())
            .any(|name| {
                evidence.bases.contains(&name)
                    && (mentions_zoom || !words.common_bases.contains(&name))
            });
        let purpose = match judge.purpose(file, signal) {
            Purpose::Own if given_to_helper && !judge.is_route(callee) => Purpose::Request,
            purpose => purpose,
        };
        Self {
            judge,
            file,
            signal,
            operation,
            path,
            callee,
            purpose,
            base_in_file: file.has_v1(),
            given_to_helper,
            mentions_zoom,
            joins_base,
            distinctive: operation.is_some_and(|name| judge.knowledge.is_distinctive(name)),
        }
    }

    /// Kind, confidence and reason; `None` if the path is not v1's.
    pub(super) fn verdict(&self) -> Option<(Kind, Confidence, &'static str)> {
        if EXCLUSIONS.iter().any(|excludes| excludes(self)) {
            return None;
        }
        let clue = CLUES.iter().find(|clue| (clue.holds)(self))?;
        // Tests of a migrated program may still mock the old paths.
        let stale = !self.judge.evidence.v1 && self.is_in_test();
        if self.purpose == Purpose::Label || stale {
            return Some((Kind::Doc, Medium, "only names the endpoint"));
        }
        let is_namesake = NAMESAKES.iter().any(|of_another| of_another(self));
        (!is_namesake).then_some((Kind::Endpoint, clue.weight, clue.reason))
    }

    /// True if the path contains the version.
    fn is_versioned(&self) -> bool {
        matches!(
            self.signal.shape,
            Shape::Endpoint {
                versioned: true,
                ..
            }
        )
    }

    fn words(&self) -> &Words {
        &self.judge.rules.words
    }

    /// True if the file reads a member that holds a base URL, which then applies to its requests:
    /// `axios.create({ baseURL: settings.zoomUrl })`.
    fn reads_base(&self) -> bool {
        let bases = &self.judge.evidence.bases;
        self.file.members.iter().any(|name| bases.contains(name))
    }

    /// True if the callee also takes paths that only v1 has.
    fn is_proven(&self) -> bool {
        !self.callee.is_empty() && self.judge.evidence.proven.contains(self.callee)
    }

    /// True for a GET request. v1 only had POST.
    fn is_get(&self) -> bool {
        let callee = self.callee.to_ascii_lowercase();
        callee.contains("get") && !callee.contains("post")
    }

    /// True if a path is requested like v1's, in a program without v1's base URL.
    fn is_v1_without_base(&self) -> bool {
        !self.is_get()
            && self.mentions_zoom
            && (self.distinctive
                || self.is_proven()
                || self.sends_key()
                || self.sends_v1_parameters())
    }

    /// True if the request has v1's credentials as parameters, in a file named after Zoom.
    fn sends_key(&self) -> bool {
        let credentials = &self.judge.knowledge.credentials;
        let given = &self.signal.text.given;
        contains_zoom(&self.file.path) && credentials.iter().any(|name| given.contains(name))
    }

    /// True if a file named after Zoom sends parameters that no other API has.
    fn sends_v1_parameters(&self) -> bool {
        let is_unique = |name: &String| has(&self.words().unique_parameters, name);
        let given = self
            .file
            .signals
            .iter()
            .flat_map(|signal| &signal.text.given);
        contains_zoom(&self.file.path)
            && (self.file.writes.iter().any(|write| is_unique(&write.key))
                || given.into_iter().any(is_unique))
    }

    /// True if the request itself, in a file named after Zoom, has a parameter that no other API has.
    fn has_v1_parameters(&self) -> bool {
        let text = &self.signal.text;
        let is_unique = |name: &String| has(&self.words().unique_parameters, name);
        let mut written = self.file.writes.iter().filter(|write| {
            write.function == text.function && text.passed.contains(&write.variable)
        });
        contains_zoom(&self.file.path)
            && (text.given.iter().any(is_unique) || written.any(|write| is_unique(&write.key)))
    }

    /// True if the file is a test, by its folder or its name.
    fn is_in_test(&self) -> bool {
        self.words().is_test(&self.file.path)
    }
}

// Exclusions.

/// The path belongs to another service with such endpoints.
fn of_another_service(path: &Endpoint<'_>) -> bool {
    path.judge
        .is_other_vendor(path.file, path.base_in_file, path.mentions_zoom)
}

/// The path belongs to the program itself: `redirect("user/list")`.
fn of_the_program_itself(path: &Endpoint<'_>) -> bool {
    path.purpose == Purpose::Own
}

/// The path is in a database dump, which may contain the program's own menus and permissions.
fn in_a_dump(path: &Endpoint<'_>) -> bool {
    path.file.language == Some(Language::Data(Format::Sql))
        && !path.distinctive
        && !path
            .file
            .excerpts
            .get(&path.signal.place.line)
            .is_some_and(|line| contains_zoom(line))
}

/// A page requests the path from its own server: `fetch("/user/create")`.
fn requested_from_own_server(path: &Endpoint<'_>) -> bool {
    let (judge, file, signal) = (path.judge, path.file, path.signal);
    judge.requests_own_server(file, signal)
        && !path.joins_base
        && !path.given_to_helper
        && (!(path.base_in_file || path.reads_base()) || judge.requests_from_browser(file, signal))
        && !requested_with_v1_credentials(path)
}

/// The path is spelt as v1 never spelt it: `user/getByEmail`.
fn misspelt_without_proof(path: &Endpoint<'_>) -> bool {
    let exact = matches!(path.signal.shape, Shape::Endpoint { exact: true, .. });
    let certain =
        path.base_in_file || path.given_to_helper || path.joins_base && path.judge.evidence.v1;
    !exact && !certain
}

// Clues.

/// `API_BASE + "user/list"`
fn joined_to_v1_base(path: &Endpoint<'_>) -> bool {
    path.joins_base && path.judge.evidence.v1
}

/// `$this->sendRequest("user/list")`
fn given_to_own_request_function(path: &Endpoint<'_>) -> bool {
    path.given_to_helper && (path.judge.evidence.v1 || path.mentions_zoom)
}

/// More than one mention of Zoom in the file. A program's own pages may mention it, too.
fn in_the_client_of_a_v1_project(path: &Endpoint<'_>) -> bool {
    if !path.judge.evidence.v1 || !path.mentions_zoom || path.is_in_test() {
        return false;
    }
    let text = &path.signal.text;
    let names = [
        Some(path.file.path.as_str()),
        Some(text.class.as_str()),
        Some(path.callee),
        text.target.as_deref(),
        text.function.as_deref(),
    ];
    let joined = path.signal.joined.iter().map(String::as_str);
    let is_named = names.into_iter().flatten().chain(joined).any(contains_zoom);
    let is_table = || {
        let operations = operations(path.file);
        let is_distinctive = |name: &&String| path.judge.knowledge.is_distinctive(name);
        operations.len() >= TABLE && operations.iter().any(is_distinctive)
    };
    is_named || path.reads_base() || calls_own_method(text, path.words()) || is_table()
}

/// `user/custcreate`, with a base URL in another file.
fn only_v1_in_a_v1_project(path: &Endpoint<'_>) -> bool {
    path.judge.evidence.v1 && path.distinctive
}

/// `zoom(…, "user/list")`, with `zoom(…, "user/custcreate")` elsewhere.
fn requested_like_v1_paths(path: &Endpoint<'_>) -> bool {
    let evidence = path.judge.evidence;
    (evidence.v1 || evidence.by_operations && !evidence.v2) && path.is_proven()
}

/// `post("/v1/user/list", { api_key, api_secret })`, with any host.
fn requested_with_v1_credentials(path: &Endpoint<'_>) -> bool {
    let text = &path.signal.text;
    let written = path.file.writes.iter().filter(|write| {
        write.function.is_some()
            && write.function == text.function
            && text.passed.contains(&write.variable)
    });
    let given: BTreeSet<String> = text
        .given
        .iter()
        .chain(written.map(|write| &write.key))
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let credentials = &path.judge.knowledge.credentials;
    let count = credentials
        .iter()
        .filter(|name| given.contains(*name))
        .count();
    path.is_versioned() && count > 1
}

/// `ENV["ZOOM_URL"] + "/v1/user/list"`, `callout:Zoom/v1/user/list`
fn versioned_on_a_zoom_base(path: &Endpoint<'_>) -> bool {
    let text = path.signal.value.as_str();
    let before = text
        .find("v1/")
        .and_then(|at| text.get(..at))
        .unwrap_or_default();
    path.is_versioned()
        && (contains_zoom(before) || path.signal.joined.iter().any(|name| contains_zoom(name)))
}

/// A program that was migrated in part.
fn v1_path_on_v2_base(path: &Endpoint<'_>) -> bool {
    path.is_v1_without_base() && path.judge.evidence.v2
}

/// Several operations in a client whose base URL is not in the code, or one with parameters that only
/// v1 has.
fn v1_paths_in_a_zoom_client(path: &Endpoint<'_>) -> bool {
    path.is_v1_without_base()
        && (!path.judge.evidence.helpers.is_empty() || contains_zoom(&path.file.path))
        && (operations(path.file).len() > 1 || path.has_v1_parameters())
}

// Namesakes.

/// v2 has the path, too, and it is not requested like v1's.
fn namesake_in_v2(path: &Endpoint<'_>) -> bool {
    let knowledge = path.judge.knowledge;
    let text = &path.signal.text;
    if !path.operation.is_some_and(|name| knowledge.is_shared(name)) {
        return false;
    }
    let is_v2 = |name: &str| name.to_ascii_lowercase().contains("v2");
    if is_v2(&text.class) || text.function.as_deref().is_some_and(is_v2) || path.is_get() {
        return true;
    }
    let beside_v1 = || {
        path.file.signals.iter().any(|other| {
            matches!(&other.shape, Shape::Endpoint { operation: Some(name), .. }
                if !knowledge.is_shared(name) && knowledge.is_distinctive(name))
                && other.text.role == Role::Value
                && other.text.class == text.class
        })
    };
    let posts = path.callee.to_ascii_lowercase().contains("post");
    !posts && path.judge.evidence.v2 && !beside_v1()
}

/// v1 never had the path, and the class requests no path of v1 with the same resource.
fn stray_without_sibling(path: &Endpoint<'_>) -> bool {
    let head = path.path.split('/').next();
    let is_sibling = |other: &Signal| {
        matches!(&other.shape, Shape::Endpoint { operation: Some(name), .. }
            if other.text.role == Role::Value
                && other.text.class == path.signal.text.class
                && name.split('/').next() == head)
    };
    path.operation.is_none() && !path.file.signals.iter().any(is_sibling)
}

/// True for a request through a method of the class itself, `self.post_request(…)`. In a
/// controller, such a method serves a page.
fn calls_own_method(text: &Text, words: &Words) -> bool {
    let callee = text.callee.as_deref().unwrap_or_default();
    let name = last_identifier(callee);
    let receiver: String = callee
        .strip_suffix(name)
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    let lower = name.to_ascii_lowercase();
    words
        .requests
        .iter()
        .any(|word| lower.contains(word.as_str()))
        && matches!(receiver.as_str(), "self" | "this" | "selfclass")
        && !text.class.to_ascii_lowercase().contains("controller")
}

/// The operations in a file, in v1's letter case.
fn operations(file: &FileFacts) -> BTreeSet<&String> {
    file.signals
        .iter()
        .filter_map(|signal| match &signal.shape {
            Shape::Endpoint {
                operation: Some(name),
                exact: true,
                ..
            } if signal.text.role == Role::Value => Some(name),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use mappings::Catalog;

    use super::*;
    use crate::{Audit, Options};

    #[test]
    fn every_clue_has_a_fixture() {
        let catalog = Catalog::embedded().unwrap();
        let audit = Audit::new(&catalog, Options::default()).unwrap();
        let hits = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/v1-endpoint/hit");
        let mut reasons = BTreeSet::new();
        for case in fs::read_dir(hits).unwrap() {
            let outcome = audit.run(&case.unwrap().path()).unwrap();
            reasons.extend(outcome.findings.into_iter().map(|found| found.reason));
        }
        for clue in CLUES {
            assert!(reasons.contains(clue.reason), "{}", clue.reason);
        }
    }
}
