//! Which names hold clients of a library: variables, attributes, factories, subclasses and names for
//! parts of a client, in one file and across the files of a project.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    evidence::libraries::{constructs, is_import, setups, speaks},
    facts::{FileFacts, syntax::Call},
    names::{first_name, last_identifier, split_member},
    rules::{Library, Words, has},
};

/// What the files of a project share of its libraries, by package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients(BTreeMap<String, Shared>);

/// What the files of a project share of one library.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    /// Names of clients, each with the name of the file that makes it.
    names: BTreeSet<(String, String)>,
    /// Functions and classes that make a client.
    makers: BTreeSet<String>,
    /// Names of files that export a client.
    modules: BTreeSet<String>,
}

impl Clients {
    /// Takes in what other files share.
    pub(crate) fn add(&mut self, other: &Self) {
        for (package, shared) in &other.0 {
            let known = self.0.entry(package.clone()).or_default();
            known.names.extend(shared.names.iter().cloned());
            known.makers.extend(shared.makers.iter().cloned());
            known.modules.extend(shared.modules.iter().cloned());
        }
    }

    /// What a file shares with others.
    pub(crate) fn of_file(file: &FileFacts, libraries: &[Library], words: &Words) -> Self {
        let mut clients = Self::default();
        for library in libraries.iter().filter(|library| speaks(library, file)) {
            let mut shared = Shared::default();
            let stem = stem(&file.path);
            let subclasses = subclasses(file, |name| makes(library, name));
            shared.makers.extend(subclasses.map(str::to_owned));
            for call in setups(library, file) {
                if let Some(target) = &call.target {
                    if target.contains("exports") || target == "default" {
                        shared.modules.insert(stem.to_owned());
                    }
                    let name = first_name(target);
                    shared.names.insert((name.to_owned(), stem.to_owned()));
                }
                let function = call.function.iter();
                let factory = function.filter(|name| !has(&words.constructors, name));
                shared.makers.extend(factory.cloned());
            }
            if !shared.names.is_empty() || !shared.makers.is_empty() {
                clients.0.insert(library.package.clone(), shared);
            }
        }
        clients
    }

    /// The names by which other files may use a client.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(|shared| {
            let names = shared.names.iter().map(|(name, _)| name);
            names
                .chain(&shared.makers)
                .chain(&shared.modules)
                .map(String::as_str)
        })
    }
}

/// The classes of a file that extend what fits.
fn subclasses(file: &FileFacts, fits: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    file.subclasses
        .iter()
        .filter(move |class| {
            class
                .of
                .split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | ':' | '\\'))
                .any(&fits)
        })
        .map(|class| class.name.as_str())
}

/// What the names of one file hold of a library.
#[derive(Debug)]
pub(crate) struct Names<'f> {
    library: &'f Library,
    clients: BTreeSet<&'f str>,
    /// Functions and classes that make a client.
    makers: BTreeSet<&'f str>,
    /// Names of parts of a client: `users = client.user`.
    parts: BTreeMap<&'f str, &'f str>,
}

impl<'f> Names<'f> {
    /// Follows the names of a file from what makes clients, here and in the files of the project.
    pub(crate) fn of(library: &'f Library, file: &'f FileFacts, clients: &'f Clients) -> Self {
        let mut names = Self {
            library,
            clients: setups(library, file)
                .filter_map(|call| call.target.as_deref())
                .map(first_name)
                .collect(),
            makers: BTreeSet::new(),
            parts: BTreeMap::new(),
        };
        if let Some(shared) = clients.0.get(&library.package) {
            names
                .makers
                .extend(shared.makers.iter().map(String::as_str));
            names.import(file, shared);
        }
        let extended = subclasses(file, |name| names.makes(name)).collect::<Vec<_>>();
        names.makers.extend(extended);
        // A name may be used before the line that gives it its value.
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

    /// Takes in the clients that the file imports, and the constants that need no import.
    fn import(&mut self, file: &'f FileFacts, shared: &'f Shared) {
        let imports = |word: &str| {
            let named = |text: &str| {
                let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                words.any(|found| found == word)
            };
            file.brought_in.iter().any(|text| named(text))
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
        for text in &file.brought_in {
            let of = shared.modules.contains(stem(loaded(text)));
            let name = text.strip_prefix("import ").map(last_word);
            self.clients.extend(name.filter(|_| of));
        }
    }

    fn makes(&self, name: &str) -> bool {
        let class = name.strip_suffix(".new").unwrap_or(name);
        makes(self.library, name) || self.makers.contains(last_identifier(class))
    }

    /// True if an expression is a client: a name of one, or what makes one.
    fn is_client(&self, text: &str) -> bool {
        let text = text.trim();
        let made = text
            .trim_start_matches("new ")
            .trim_start_matches("await ")
            .split_once('(')
            .map(|(callee, _)| callee);
        if let Some(callee) = made.filter(|_| text.ends_with(')')) {
            return self.makes(callee) || callee == "require" && is_import(self.library, text);
        }
        self.clients.contains(last_identifier(text))
            || makes(self.library, text)
            || text.strip_suffix(".new").is_some() && self.makes(text)
    }

    /// The method that a call of a client names, as the library's rule writes it.
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
        self.is_client(head) || itself && classes.any(|class| self.makers.contains(class))
    }
}

/// True for what makes a client of a library, or the class of it: `Zoomus::Client` of Ruby.
fn makes(library: &Library, name: &str) -> bool {
    constructs(library, name) || constructs(library, &format!("{name}.new"))
}

/// The name by which other files import a file: that of its folder for `__init__.py` and `index.js`.
fn stem(path: &str) -> &str {
    let mut names = path.rsplit(['/', '\\']);
    let name = names.next().unwrap_or(path);
    match name.split('.').next().unwrap_or(name) {
        "__init__" | "index" => names.next().unwrap_or_default(),
        name => name,
    }
}

/// What a statement loads: the text between its last quotes.
fn loaded(statement: &str) -> &str {
    statement.rsplit(['\'', '"']).nth(1).unwrap_or_default()
}

/// The name that an import statement of JavaScript binds.
fn last_word(names: &str) -> &str {
    names.split(" from ").next().map_or("", last_identifier)
}
