//! Names that hold clients of a library: variables, attributes, factories, subclasses and members
//! of clients, in one file and across the files of a project.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    evidence::libraries::{constructs, is_import, setups, supports_language},
    facts::{FileFacts, syntax::Call},
    names::{first_name, last_identifier, split_member},
    rules::{Library, Words, has},
};

/// Exported clients of a project, by package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients(BTreeMap<String, Shared>);

/// Exported clients of one library.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    /// Names of clients, each with the stem of the file that constructs it.
    names: BTreeSet<(String, String)>,
    /// Functions and classes that construct a client.
    factories: BTreeSet<String>,
    /// Stems of files that export a client.
    modules: BTreeSet<String>,
}

impl Clients {
    /// Adds the exports of other files.
    pub(crate) fn add(&mut self, other: &Self) {
        for (package, shared) in &other.0 {
            let known = self.0.entry(package.clone()).or_default();
            known.names.extend(shared.names.iter().cloned());
            known.factories.extend(shared.factories.iter().cloned());
            known.modules.extend(shared.modules.iter().cloned());
        }
    }

    /// The exports of a file.
    pub(crate) fn of_file(file: &FileFacts, libraries: &[Library], words: &Words) -> Self {
        let mut clients = Self::default();
        for library in libraries
            .iter()
            .filter(|library| supports_language(library, file))
        {
            let mut shared = Shared::default();
            let stem = stem(&file.path);
            let subclasses = subclasses(file, |name| constructs_client(library, name));
            shared.factories.extend(subclasses.map(str::to_owned));
            for call in setups(library, file) {
                if let Some(target) = &call.target {
                    if target.contains("exports") || target == "default" {
                        shared.modules.insert(stem.to_owned());
                    }
                    let name = first_name(target);
                    if !matches!(name, "exports" | "default") {
                        shared.names.insert((name.to_owned(), stem.to_owned()));
                    }
                }
                let function = call.function.iter();
                let factory = function.filter(|name| !has(&words.constructors, name));
                shared.factories.extend(factory.cloned());
            }
            let Shared {
                names,
                factories,
                modules,
            } = &shared;
            if !(names.is_empty() && factories.is_empty() && modules.is_empty()) {
                clients.0.insert(library.package.clone(), shared);
            }
        }
        clients
    }

    /// True if the project has a client of a library.
    pub(crate) fn has(&self, package: &str) -> bool {
        self.0.contains_key(package)
    }

    /// Names in files that use a client from another file.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(|shared| {
            let names = shared.names.iter().map(|(name, _)| name);
            names
                .chain(&shared.factories)
                .chain(&shared.modules)
                .map(String::as_str)
        })
    }
}

/// The classes of a file with a superclass that `is_client` accepts.
fn subclasses(file: &FileFacts, is_client: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    file.subclasses
        .iter()
        .filter(move |class| {
            class
                .of
                .split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | ':' | '\\'))
                .any(&is_client)
        })
        .map(|class| class.name.as_str())
}

/// The names of a file that belong to a library.
#[derive(Debug)]
pub(crate) struct Names<'f> {
    library: &'f Library,
    clients: BTreeSet<&'f str>,
    /// Functions and classes that construct a client.
    factories: BTreeSet<&'f str>,
    /// Members of a client, by variable: `users = client.user`.
    parts: BTreeMap<&'f str, &'f str>,
}

impl<'f> Names<'f> {
    /// Resolves the names of a file, from the constructors and exported clients of the project.
    pub(crate) fn of(library: &'f Library, file: &'f FileFacts, clients: &'f Clients) -> Self {
        let mut names = Self {
            library,
            clients: setups(library, file)
                .filter_map(|call| call.target.as_deref())
                .map(first_name)
                .collect(),
            factories: BTreeSet::new(),
            parts: BTreeMap::new(),
        };
        if let Some(shared) = clients.0.get(&library.package) {
            names
                .factories
                .extend(shared.factories.iter().map(String::as_str));
            names.import(file, shared);
        }
        let extended = subclasses(file, |name| names.constructs_client(name)).collect::<Vec<_>>();
        names.factories.extend(extended);
        // Twice, because a name may be used before the line that assigns it.
        for _ in 0..2 {
            for binding in &file.bindings {
                let value = binding.value.trim_start_matches("await ");
                if names.is_client(value) {
                    names.clients.insert(&binding.name);
                } else if let Some((receiver, part)) = split_member(value)
                    && names.is_client(receiver)
                {
                    names.parts.insert(&binding.name, part);
                }
            }
        }
        names
    }

    /// Adds the clients that the file imports. A constant needs no import.
    fn import(&mut self, file: &'f FileFacts, shared: &'f Shared) {
        let imports = |word: &str| {
            let named = |text: &str| {
                let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                words.any(|found| found == word)
            };
            file.import_statements.iter().any(|text| named(text))
        };
        for (name, stem) in &shared.names {
            let is_constant = name.starts_with(char::is_uppercase);
            if name.len() > 2 && (is_constant || imports(stem)) {
                self.clients.insert(name);
            }
        }
        for binding in &file.bindings {
            let loads = binding.value.starts_with("require(");
            if loads && shared.modules.contains(stem(loaded(&binding.value))) {
                self.clients.insert(&binding.name);
            }
        }
        for text in &file.import_statements {
            let of = shared.modules.contains(stem(loaded(text)));
            let name = text.strip_prefix("import ").map(last_word);
            self.clients.extend(name.filter(|_| of));
        }
    }

    fn constructs_client(&self, name: &str) -> bool {
        let class = name.strip_suffix(".new").unwrap_or(name);
        constructs_client(self.library, name) || self.factories.contains(last_identifier(class))
    }

    /// True if an expression is a client: a variable or a constructor call.
    fn is_client(&self, text: &str) -> bool {
        let text = text.trim();
        let call = text
            .trim_start_matches("new ")
            .trim_start_matches("await ")
            .split_once('(')
            .map(|(callee, _)| callee);
        if let Some(callee) = call.filter(|_| text.ends_with(')')) {
            return self.constructs_client(callee)
                || callee == "require" && is_import(self.library, text);
        }
        self.clients.contains(last_identifier(text))
            || constructs_client(self.library, text)
            || text.strip_suffix(".new").is_some() && self.constructs_client(text)
    }

    /// The method of a call in the notation of the library's rule; true if its receiver is a
    /// client.
    pub(crate) fn method(&self, call: &'f Call, with_resource: bool) -> Option<(String, bool)> {
        let callee = call.callee.trim_end_matches(['!', '?']);
        let (head, method) = split_member(callee)?;
        if !with_resource {
            return Some((method.to_owned(), self.is_receiver(call, head)));
        }
        if let Some(part) = self.parts.get(last_identifier(head)) {
            return Some((format!("{part}.{method}"), true));
        }
        let (head, resource) = split_member(head)?;
        Some((format!("{resource}.{method}"), self.is_receiver(call, head)))
    }

    fn is_receiver(&self, call: &Call, head: &str) -> bool {
        let itself = matches!(head, "self" | "this" | "$this" | "" | "super" | "super()");
        let mut classes = call.class.split_whitespace();
        self.is_client(head) || itself && classes.any(|class| self.factories.contains(class))
    }
}

/// True for a constructor of a client of a library, or for its class: `Zoomus::Client` of Ruby.
fn constructs_client(library: &Library, name: &str) -> bool {
    constructs(library, name) || constructs(library, &format!("{name}.new"))
}

/// The import name of a file: the name of its folder for `__init__.py` and `index.js`.
fn stem(path: &str) -> &str {
    let mut names = path.rsplit(['/', '\\']);
    let name = names.next().unwrap_or(path);
    match name.split('.').next().unwrap_or(name) {
        "__init__" | "index" => names.next().unwrap_or_default(),
        name => name,
    }
}

/// The module of an import statement: the text between its last quotes.
fn loaded(statement: &str) -> &str {
    statement.rsplit(['\'', '"']).nth(1).unwrap_or_default()
}

/// The name that an import statement of JavaScript binds.
fn last_word(names: &str) -> &str {
    names.split(" from ").next().map_or("", last_identifier)
}
