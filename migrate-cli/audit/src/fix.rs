//! Fixes: safe changes of the code, and suggestions on request.
//!
//! Safe are: to point a base URL of v1 at the shim, which serves the same paths; to read a base URL
//! from an environment variable with the literal as default; to pin the exact version of a client
//! library. Suggestions rewrite calls with an unambiguous v2 form. For all other findings there is
//! a recipe.
//!
//! A fix applies to the bytes that the audit read: a file that has changed since is refused.
//! Encoding, line ends and permissions are kept, and files are replaced atomically.

mod base;
mod guard;
mod page;
mod pin;
mod repoint;
mod rewrite;
mod splice;
mod switch;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write as _},
    path::Path,
};

use mappings::Catalog;
use similar::TextDiff;
use tree_sitter::Tree;

use self::{
    base::{Aim, Others},
    page::{Base, Page},
    rewrite::Rewriter,
    splice::Edit,
};
use crate::{
    facts::suppression,
    findings::{Finding, Shim, SuppressedBy},
    kind::Kind,
    run::{Audit, Outcome, stamp},
    shim_address::{Moved, Variable, base_at},
    source,
    waves::UNKNOWN,
};

/// Size above which a file is not fixed, in bytes.
const LARGEST: usize = 4 << 20;

/// Translates a v1 `curl` command without variables to a v2 command, if one command does exactly
/// the same.
pub type CurlTranslator = fn(&Catalog, &str) -> Option<String>;

/// The requested fixes.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Target of base URLs, or the variable to read them from.
    pub moved: Moved,
    /// Include suggestions, with this translation of `curl` commands.
    pub suggestions: Option<CurlTranslator>,
}

/// The fixes for the findings of a run.
#[derive(Debug, Default)]
pub struct Fixes {
    /// The changed files, by path.
    pub changes: Vec<Change>,
    /// Findings without a fix, by index, with the reason.
    pub left: Vec<(usize, String)>,
}

/// A changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path from the root, with slashes.
    pub path: String,
    /// Number of changed places.
    pub places: usize,
    /// Follow-up work.
    pub then: BTreeSet<String>,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// The edits of one file.
#[derive(Default)]
struct Collected {
    /// True if the variable's value ends with a slash, like the literals that it replaces.
    slash: Option<bool>,
    edits: BTreeSet<Edit>,
    places: usize,
    /// Indices of fixed findings.
    fixed: BTreeSet<usize>,
    objections: BTreeMap<usize, String>,
    then: BTreeSet<String>,
}

impl Collected {
    /// Adds the edits for a finding, or none of them if one overlaps another fix.
    fn take(&mut self, finding: usize, edits: Vec<Edit>) {
        let overlaps = edits.iter().any(|edit| {
            self.edits
                .iter()
                .any(|other| other != edit && edit.from < other.to && other.from < edit.to)
        });
        if overlaps {
            self.objections
                .insert(finding, "another fix changes the same place".to_owned());
            return;
        }
        let known = self.edits.len();
        self.edits.extend(edits);
        self.places += usize::from(self.edits.len() > known);
        self.fixed.insert(finding);
    }

    /// Adds the edits for a finding, or the objection to them.
    fn add(&mut self, finding: usize, edits: Result<Vec<Edit>, String>) {
        match edits {
            Ok(edits) => self.take(finding, edits),
            Err(objection) => {
                self.objections.insert(finding, objection);
            }
        }
    }

    /// Records that the variable replaces a literal with or without a slash at its end. All
    /// literals must agree, because the variable has one value.
    fn switch(&mut self, slash: bool, variable: Option<&Variable>) -> Result<(), String> {
        if self.slash.is_some_and(|known| known != slash) {
            return Err(
                "elsewhere the variable's value has another end, with or without a slash: give \
                 this one a variable of its own"
                    .to_owned(),
            );
        }
        self.slash = Some(slash);
        let name = variable.map_or("", Variable::name);
        let end = if slash { "/" } else { "" };
        self.then.insert(format!(
            "set {name} to the shim's base URL, as https://SHIM/v1{end}"
        ));
        Ok(())
    }
}

/// True if the variable's value ends with a slash, where an earlier fix inserted the variable.
fn known_slash(findings: &[Finding]) -> Option<bool> {
    findings
        .iter()
        .filter(|finding| finding.suppressed_by() == Some(SuppressedBy::Shim))
        .find_map(|finding| {
            let excerpt = finding.excerpt.as_ref()?;
            excerpt
                .chars()
                .nth(finding.end_column.checked_sub(2)?)
                .map(|last| last == '/')
        })
}

/// The edits that make a base URL the default of the variable, if that is safe.
fn switch(page: &Page<'_>, tree: Option<&Tree>, base: &Base, moved: &Moved) -> Option<Vec<Edit>> {
    let variable = moved.variable.as_ref()?;
    let whole = base.whole.as_ref().filter(|_| base.bare)?;
    let default = match &moved.url {
        Some(shim) => base_at(Some(shim)),
        None => page.text.get(whole.clone())?.to_owned(),
    };
    switch::edits(page.language, page.text, tree?, whole, &default, variable)
}

impl Audit<'_> {
    /// The fixes for the findings of a run below a folder, including findings in the baseline.
    /// Mentions and findings that a comment suppresses are not changed.
    pub fn fixes(&self, root: &Path, outcome: &Outcome, wanted: &Wanted) -> Fixes {
        let mut by_path: BTreeMap<&str, Vec<(usize, &Finding)>> = BTreeMap::new();
        for (index, finding) in outcome.findings.iter().enumerate() {
            if finding.counts() || is_of_baseline(finding) {
                let findings = by_path.entry(&finding.path).or_default();
                findings.push((index, finding));
            }
        }
        let others = Others::below(root);
        let mut fixes = Fixes::default();
        let mut slash = known_slash(&outcome.findings);
        for (path, findings) in by_path {
            let mut collected = Collected {
                slash,
                ..Collected::default()
            };
            match self.change(
                root,
                path,
                outcome,
                &findings,
                wanted,
                &others,
                &mut collected,
            ) {
                Ok(change) => {
                    slash = collected.slash;
                    fixes.changes.extend(change);
                }
                Err(objection) => {
                    collected.fixed.clear();
                    for (index, finding) in &findings {
                        if is_for_fixes(finding, wanted) {
                            collected.objections.insert(*index, objection.clone());
                        }
                    }
                }
            }
            for (index, finding) in findings {
                if !collected.fixed.contains(&index) {
                    let objection = collected.objections.remove(&index);
                    let why = objection.unwrap_or_else(|| finding.kind.traits().unfixed.clone());
                    fixes.left.push((index, why));
                }
            }
        }
        fixes
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one run, passed once"
    )]
    fn change(
        &self,
        root: &Path,
        path: &str,
        outcome: &Outcome,
        findings: &[(usize, &Finding)],
        wanted: &Wanted,
        others: &Others<'_>,
        collected: &mut Collected,
    ) -> Result<Option<Change>, String> {
        if !findings
            .iter()
            .any(|(_, found)| is_for_fixes(found, wanted))
        {
            return Ok(None);
        }
        let unread = |error: io::Error| format!("{path} cannot be read: {error}");
        let about = fs::symlink_metadata(root.join(path)).map_err(unread)?;
        if usize::try_from(about.len()).is_ok_and(|length| length > LARGEST) {
            return Err(format!("{path} is too large"));
        }
        let before = fs::read(root.join(path)).map_err(unread)?;
        if outcome.stamps.get(path) != Some(&stamp(&before)) {
            return Err(format!("{path} has changed since it was looked through"));
        }
        let text = source::decode(&before);
        if let Some(objection) = guard::objection(root, path, &text) {
            return Err(format!("{path} {objection}"));
        }
        let page = Page::read(path, &text, &self.rules);
        if page.extract.is_unparsed {
            return Err(format!("{path} takes too long to parse"));
        }
        self.point(&page, path, findings, wanted, others, collected);
        // Pinning would undo the update that a rewritten call needs.
        let updated =
            wanted.suggestions.is_some() && rewrite::updates_library(&outcome.findings, path);
        if !updated {
            self.pin(root, &page, path, findings, collected);
        }
        if let Some(curl) = wanted.suggestions {
            self.suggest(&page, findings, curl, collected);
        }
        if collected.edits.is_empty() {
            return Ok(None);
        }
        let edits: Vec<Edit> = collected.edits.iter().cloned().collect();
        let broken = || format!("{path} would not parse as it did");
        let after_text = splice::splice_text(&text, &edits).ok_or_else(broken)?;
        if !guard::still_parses(page.language, &text, &after_text) {
            return Err(broken());
        }
        let after = splice::splice_bytes(&before, &text, &edits)
            .ok_or_else(|| format!("{path} has an encoding that cannot be written back"))?;
        Ok((after != before).then(|| Change {
            path: path.to_owned(),
            places: collected.places,
            then: std::mem::take(&mut collected.then),
            before,
            after,
        }))
    }

    /// Points base URLs at the shim, by its address or by a variable.
    fn point(
        &self,
        page: &Page<'_>,
        path: &str,
        findings: &[(usize, &Finding)],
        wanted: &Wanted,
        others: &Others<'_>,
        collected: &mut Collected,
    ) {
        let Moved { url, variable } = &wanted.moved;
        let aim = url.as_ref().map(|shim| Aim {
            shim,
            rules: &self.rules,
            knowledge: &self.knowledge,
            others,
        });
        let bases = page.bases(&self.rules, &self.knowledge);
        let tree = variable
            .as_ref()
            .and_then(|_| guard::parse(page.language, page.text));
        let mut suppressed = BTreeMap::new();
        suppression::collect(page.text, &mut suppressed);
        for (index, finding) in findings {
            if !finding.kind.traits().fix.address {
                continue;
            }
            let place = (finding.line, finding.column);
            let mut here: Vec<&Base> = bases
                .iter()
                .filter(|base| base.place == place)
                .filter(|base| finding.kind != Kind::Endpoint || base.whole.is_none())
                .collect();
            if finding.kind == Kind::SdkImport {
                let way = self.repointing(page, wanted);
                collected.objections.extend(way.map(|way| (*index, way)));
                continue;
            }
            if here.is_empty() && finding.kind == Kind::BaseUrl {
                let host = page.host_near(finding.line, &self.rules, &self.knowledge);
                let edits = match &aim {
                    Some(aim) => host
                        .ok_or_else(|| "its host cannot be found".to_owned())
                        .and_then(|host| aim.host(page, path, &host)),
                    None if variable.is_some() => {
                        Err("its host and its version are separate: --shim changes both".to_owned())
                    }
                    None => continue,
                };
                collected.add(*index, edits);
                continue;
            }
            if finding.kind != Kind::Endpoint {
                // The audit reports a line once, however many URLs it has.
                here.extend(bases.iter().filter(|base| {
                    base.place.0 == finding.line && base.place != place && base.whole.is_some()
                }));
            }
            for base in here {
                let edits = if url.as_ref().is_some_and(|shim| page.is_at(base, shim)) {
                    continue;
                } else if suppressed.contains_key(&page.lines.position(base.host.start).0) {
                    Err("a comment keeps the line of its host as it is".to_owned())
                } else if let Some(edits) = switch(page, tree.as_ref(), base, &wanted.moved) {
                    collected
                        .switch(base.slash, variable.as_ref())
                        .map(|()| edits)
                } else if let Some(aim) = &aim {
                    aim.edits(page, path, base)
                } else if variable.is_some() && !base.bare {
                    Err("the URL goes on behind its base: take the base out of it first".to_owned())
                } else if variable.is_some() {
                    Err("reading it from the environment is not provably the same here".to_owned())
                } else {
                    continue;
                };
                collected.add(*index, edits);
            }
            let is_unknown = finding
                .advice
                .as_ref()
                .is_some_and(|advice| advice.shim == Shim::Unknown);
            if let Some(path) = finding.operation.as_ref().filter(|_| is_unknown)
                && collected.fixed.contains(index)
            {
                collected.then.insert(format!("{path}: {UNKNOWN}"));
            }
        }
    }

    fn pin(
        &self,
        root: &Path,
        page: &Page<'_>,
        path: &str,
        findings: &[(usize, &Finding)],
        collected: &mut Collected,
    ) {
        for (index, finding) in findings {
            if !finding.kind.traits().fix.version {
                continue;
            }
            let Some(at) = page.lines.offset(finding.line, finding.column) else {
                continue;
            };
            let libraries = &self.rules.libraries;
            if let Some(pin) = pin::pin(root, path, page.text, at, libraries) {
                collected.then.insert(pin.then);
                collected.take(*index, vec![pin.edit]);
            }
        }
    }

    fn suggest(
        &self,
        page: &Page<'_>,
        findings: &[(usize, &Finding)],
        curl: CurlTranslator,
        collected: &mut Collected,
    ) {
        let rewriter = Rewriter {
            catalog: self.catalog,
            libraries: &self.rules.libraries,
            curl,
        };
        let Some(tree) = guard::parse(page.language, page.text) else {
            return;
        };
        for (index, finding) in findings {
            if !finding.kind.traits().fix.call || collected.fixed.contains(index) {
                continue;
            }
            let Some(at) = page.lines.offset(finding.line, finding.column) else {
                continue;
            };
            if let Some((edits, needs)) = rewriter.edits(page.language, page.text, &tree, at) {
                collected.then.insert(needs.to_owned());
                collected.take(*index, edits);
            }
        }
    }
}

/// True if the baseline suppresses a finding.
fn is_of_baseline(finding: &Finding) -> bool {
    finding.kind != Kind::Doc && finding.suppressed_by() == Some(SuppressedBy::Baseline)
}

/// True if a requested fix may apply to the finding.
fn is_for_fixes(finding: &Finding, wanted: &Wanted) -> bool {
    let fix = finding.kind.traits().fix;
    let moves = wanted.moved.url.is_some() || wanted.moved.variable.is_some();
    fix.version || fix.address && moves || (fix.address || fix.call) && wanted.suggestions.is_some()
}

impl Change {
    /// The change as a patch.
    pub fn patch(&self) -> String {
        let (before, after) = (source::decode(&self.before), source::decode(&self.after));
        // `patch` requires a tab behind a path with a space.
        let tab = if self.path.contains(' ') { "\t" } else { "" };
        TextDiff::from_lines(before.as_ref(), after.as_ref())
            .unified_diff()
            .header(
                &format!("a/{}{tab}", self.path),
                &format!("b/{}{tab}", self.path),
            )
            .to_string()
    }

    /// Replaces the file atomically.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written, or has changed since it was read.
    pub fn apply(&self, root: &Path) -> io::Result<()> {
        let path = root.join(&self.path);
        let folder = path.parent().unwrap_or(root);
        let mut new = tempfile::Builder::new()
            .prefix(".migrate-")
            .tempfile_in(folder)?;
        new.write_all(&self.after)?;
        new.as_file().sync_all()?;
        fs::set_permissions(new.path(), fs::metadata(&path)?.permissions())?;
        if fs::read(&path)? != self.before {
            return Err(io::Error::other("it has changed meanwhile"));
        }
        new.persist(&path)?;
        Ok(())
    }
}
