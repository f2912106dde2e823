//! Layers of the workspace, checked against its `use` lines and paths.
//!
//! Crates use only the crates that the table allows; layers of the shim only lower ones; sibling
//! modules (each with all its children) have no import cycle. A module and its parent may use each
//! other. Tests in `src` are not checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use syn::{ItemMod, ItemUse, UseTree, visit::Visit};

use crate::sources::{is_test, root, rust_files};

/// Crates: folder, name in paths, and allowed dependencies in the workspace.
const CRATES: [Crate; 8] = [
    Crate("mappings", "mappings", &[]),
    Crate("mappings/recording", "recording", &["mappings"]),
    Crate("shim/upstream", "shim_upstream", &["mappings"]),
    Crate("shim/sandbox", "shim_sandbox", &["mappings"]),
    Crate(
        "shim",
        "shim",
        &["mappings", "recording", "shim_upstream", "shim_sandbox"],
    ),
    Crate("migrate-cli/audit", "migrate_audit", &["mappings"]),
    Crate("migrate-cli/report", "migrate_report", &["mappings"]),
    Crate(
        "migrate-cli",
        "migrate_cli",
        &["mappings", "recording", "migrate_audit", "migrate_report"],
    ),
];

/// Layers of a crate, lowest first. Each uses only lower ones.
const LAYERS: [(&str, &[&str]); 1] = [(
    "shim",
    &[
        "clock",
        "private_file",
        "settings",
        "v1_client",
        "observe",
        "state",
        "front",
        "serve",
        "notifications",
        "operate",
        "cli",
    ],
)];

/// Dependencies that only one module of a crate may use.
const RESERVED: [(&str, &str, &str); 1] = [("shim", "shim_sandbox", "cli")];

/// Known import cycles: parent, siblings, reason. An entry whose cycle is gone or has changed fails
/// the test.
const CYCLES: [(&str, &[&str], &str); 3] = [
    (
        "shim::settings",
        &["key", "read", "shadow", "state", "table"],
        "`table` lists the keys with the types that `shadow` and `state` define, and `read` reads them",
    ),
    (
        "shim::cli",
        &["banner", "notifications", "run"],
        "`run` starts what `notifications` defines, whose commands start as `run` does",
    ),
    (
        "shim::state",
        &["engine", "queue"],
        "an engine stores messages, and the queue names and seals them for an engine",
    ),
];

struct Crate(&'static str, &'static str, &'static [&'static str]);

/// Path of a module below the root of its crate.
type Module = Vec<String>;

/// Modules of the workspace, by crate.
#[derive(Default)]
struct Workspace(BTreeMap<String, BTreeMap<Module, Source>>);

/// Dependencies of a file.
#[derive(Default)]
struct Source {
    /// Paths, with the module that they occur in.
    paths: BTreeSet<(Module, Vec<String>)>,
    /// Imported names, which other modules may use from here.
    names: BTreeMap<String, Vec<String>>,
}

/// A dependency between two modules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    from: (String, Module),
    to: (String, Module),
}

#[test]
fn dependencies_follow_the_layers() {
    let arrows = workspace().arrows();
    assert!(arrows.len() > 200, "{} arrows are too few", arrows.len());
    let forbidden: Vec<_> = arrows.iter().filter_map(forbidden).collect();
    assert!(forbidden.is_empty(), "\n{}", forbidden.join("\n"));
}

#[test]
fn siblings_have_no_import_cycle() {
    let mut known: BTreeSet<_> = CYCLES
        .iter()
        .map(|(name, siblings, _)| describe(name, siblings))
        .collect();
    let mut found: BTreeSet<_> = cycles(&workspace().arrows()).into_iter().collect();
    for cycle in known.clone() {
        if found.remove(&cycle) {
            known.remove(&cycle);
        }
    }
    assert!(found.is_empty(), "new cycles: {found:#?}");
    assert!(known.is_empty(), "remove from CYCLES: {known:#?}");
}

#[test]
fn detects_forbidden_dependencies() {
    let mut workspace = Workspace::default();
    for (name, module, text) in [
        ("shim", "settings", "use crate::serve::Shim;"),
        ("shim", "serve", "pub struct Shim;"),
        ("shim", "front", "fn f() { crate::operate::pages::g(); }"),
        ("shim", "operate", ""),
        ("shim", "operate::pages", "use shim_sandbox::Sandbox;"),
        ("shim", "state", "use shim_upstream::Budget;"),
        ("shim_upstream", "", "use shim::Shim;"),
        ("shim_sandbox", "", ""),
        ("mappings", "", "pub use a::A;"),
        ("mappings", "a", "use crate::b::c::C; pub struct A;"),
        ("mappings", "b", "pub mod c; use crate::A;"),
        ("mappings", "b::c", "use super::B;"),
    ] {
        let module = module.split("::").filter(|part| !part.is_empty());
        workspace.add(name, module.map(str::to_owned).collect(), text);
    }
    let arrows = workspace.arrows();
    let forbidden: Vec<_> = arrows.iter().filter_map(forbidden).collect();
    assert_eq!(
        forbidden,
        [
            "shim::front uses shim::operate::pages",
            "shim::operate::pages uses shim_sandbox",
            "shim::settings uses shim::serve",
            "shim_upstream uses shim",
        ]
    );
    assert_eq!(cycles(&arrows), ["mappings: a, b"]);
}

fn workspace() -> Workspace {
    let mut workspace = Workspace::default();
    for Crate(folder, name, _) in CRATES {
        let src = root().join(folder).join("src");
        for file in rust_files(&src) {
            let text = fs::read_to_string(&file).unwrap();
            let module = file.strip_prefix(&src).unwrap().with_extension("");
            let mut module: Module = module
                .iter()
                .map(|part| part.to_str().unwrap().to_owned())
                .collect();
            module.pop_if(|last| ["lib", "mod"].contains(&last.as_str()));
            workspace.add(name, module, &text);
        }
    }
    workspace
}

impl Workspace {
    fn add(&mut self, name: &str, module: Module, text: &str) {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{module:?}: {error}"));
        let mut reader = Reader {
            module: module.clone(),
            source: Source::default(),
        };
        reader.visit_file(&file);
        let modules = self.0.entry(name.to_owned()).or_default();
        modules.insert(module, reader.source);
    }

    fn arrows(&self) -> BTreeSet<Arrow> {
        let mut arrows = BTreeSet::new();
        for (name, modules) in &self.0 {
            for (module, source) in modules {
                let from = (name.clone(), module.clone());
                for (place, path) in &source.paths {
                    let to = self.target(name, place, path);
                    arrows.extend(to.filter(|to| *to != from).map(|to| Arrow {
                        from: from.clone(),
                        to,
                    }));
                }
            }
        }
        arrows
    }

    /// Module that defines what a path refers to; `None` if it is outside the workspace.
    fn target(&self, name: &str, place: &[String], path: &[String]) -> Option<(String, Module)> {
        let modules = self.0.get(name)?;
        let mut at = place.to_vec();
        let (first, mut rest) = path.split_first()?;
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            other if modules.contains_key(&child(&at, other)) => at.push(other.to_owned()),
            other if self.0.contains_key(other) => {
                let root = ["crate".to_owned()];
                let path = [root.as_slice(), rest].concat();
                return self.target(other, &[], &path);
            }
            _ => return None,
        }
        while let Some((next, after)) = rest.split_first() {
            let below = child(&at, next);
            if next == "super" {
                at.pop();
            } else if modules.contains_key(&below) {
                at = below;
            } else if let Some(path) = modules.get(&at).and_then(|source| source.names.get(next)) {
                // A re-exported name.
                return self.target(name, &at, &[path.as_slice(), after].concat());
            } else {
                break;
            }
            rest = after;
        }
        Some((name.to_owned(), at))
    }
}

fn child(module: &[String], name: &str) -> Module {
    let mut module = module.to_vec();
    module.push(name.to_owned());
    module
}

/// Collects the paths of a file.
struct Reader {
    /// Current module: that of the file, or an inline module.
    module: Module,
    source: Source,
}

impl Reader {
    fn tree(&mut self, tree: &UseTree, before: &[String]) {
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &child(before, &path.ident.to_string())),
            UseTree::Name(name) => self.leaf(before, &name.ident.to_string(), None),
            UseTree::Rename(name) => {
                let renamed = name.rename.to_string();
                self.leaf(before, &name.ident.to_string(), Some(renamed));
            }
            UseTree::Glob(_) => drop(
                self.source
                    .paths
                    .insert((self.module.clone(), before.to_vec())),
            ),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, before)),
        }
    }

    fn leaf(&mut self, before: &[String], name: &str, renamed: Option<String>) {
        let path = match name {
            "self" => before.to_vec(),
            name => child(before, name),
        };
        if let Some(last) = path.last() {
            let name = renamed.unwrap_or_else(|| last.clone());
            // `use a::a` would refer to itself.
            if path.len() > 1 {
                self.source.names.insert(name, path.clone());
            }
        }
        self.source.paths.insert((self.module.clone(), path));
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&item.tree, &[]);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_some() && !is_test(&item.attrs) {
            self.module.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        if names.len() > 1 {
            self.source.paths.insert((self.module.clone(), names));
        }
        syn::visit::visit_path(self, path);
    }
}

/// Describes a dependency that is not allowed.
fn forbidden(arrow: &Arrow) -> Option<String> {
    let Arrow { from, to } = arrow;
    let is_allowed = if from.0 == to.0 {
        match (layer(from), layer(to)) {
            (Some(from), Some(to)) => to <= from,
            _ => true,
        }
    } else {
        let Crate(_, _, allowed) = CRATES.iter().find(|Crate(_, name, _)| *name == from.0)?;
        let reserved = RESERVED
            .iter()
            .find(|(of, name, _)| from.0 == *of && to.0 == *name);
        let is_at_home =
            reserved.is_none_or(|(_, _, home)| from.1.first().is_some_and(|of| of == home));
        allowed.contains(&to.0.as_str()) && is_at_home
    };
    (!is_allowed).then(|| format!("{} uses {}", show(from), show(to)))
}

/// Layer of a module; `None` for the crate root and for crates without layers.
fn layer((name, module): &(String, Module)) -> Option<usize> {
    let (_, layers) = LAYERS.iter().find(|(of, _)| of == name)?;
    let first = module.first().filter(|first| *first != "main")?;
    let at = layers.iter().position(|layer| layer == first);
    Some(at.unwrap_or_else(|| panic!("{name}::{first} is in no layer: add it to LAYERS")))
}

fn show((name, module): &(String, Module)) -> String {
    let mut path = vec![name.clone()];
    path.extend(module.iter().cloned());
    path.join("::")
}

/// Import cycles among siblings, in all crates.
fn cycles(arrows: &BTreeSet<Arrow>) -> Vec<String> {
    // By parent: dependencies among its children, each with all its descendants.
    let mut families: BTreeMap<(&str, &[String]), Uses<'_>> = BTreeMap::new();
    for Arrow { from, to } in arrows.iter().filter(|arrow| arrow.from.0 == arrow.to.0) {
        let shared = from.1.iter().zip(&to.1).take_while(|(a, b)| a == b).count();
        // If one is missing, that module is the parent of the other.
        if let (Some(user), Some(used)) = (from.1.get(shared), to.1.get(shared)) {
            let parent = (from.0.as_str(), &from.1[..shared]);
            let users = families.entry(parent).or_default();
            users.entry(user).or_default().insert(used);
        }
    }
    let mut cycles = Vec::new();
    for ((name, parent), uses) in &families {
        let reached: BTreeMap<_, _> = uses.keys().map(|from| (*from, reach(uses, from))).collect();
        let mut seen = BTreeSet::new();
        for (sibling, others) in &reached {
            if !others.contains(sibling) || seen.contains(sibling) {
                continue;
            }
            let is_mutual = |other: &&&str| {
                reached
                    .get(**other)
                    .is_some_and(|back| back.contains(sibling))
            };
            let cycle: Vec<_> = others.iter().filter(is_mutual).copied().collect();
            seen.extend(cycle.iter().copied());
            let parent = show(&((*name).to_owned(), parent.to_vec()));
            cycles.push(describe(&parent, &cycle));
        }
    }
    cycles
}

fn describe(parent: &str, siblings: &[&str]) -> String {
    format!("{parent}: {}", siblings.join(", "))
}

/// Siblings used by a module, by module.
type Uses<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Transitive dependencies of a sibling.
fn reach<'a>(uses: &Uses<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<_> = uses.get(from).into_iter().flatten().copied().collect();
    while let Some(sibling) = next.pop() {
        if reached.insert(sibling) {
            next.extend(uses.get(sibling).into_iter().flatten());
        }
    }
    reached
}
