//! The audit's index of v1: operations with their v2 replacements, and response fields that only v1
//! has. All of it comes from the catalog.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use mappings::{Catalog, catalog::field::Place};

use crate::names::split_member;

/// Maximum length of a v1 path, in bytes.
const LONGEST: usize = 96;

/// One v1 operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operation {
    /// Its name: `user/getbyemail`.
    pub(crate) name: String,
    /// The names of its parameters.
    pub(crate) parameters: Vec<String>,
    /// The v2 requests that replace it: `GET /users/{userId}`.
    pub(crate) replacements: Vec<String>,
}

/// Index of v1.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    operations: BTreeMap<String, Operation>,
    aliases: BTreeMap<String, Option<String>>,
    resources: BTreeSet<String>,
    heads: HashSet<String>,
    actions: HashSet<String>,
    generic: HashSet<String>,
    /// Operations whose path v2 has, too, although another one replaces them.
    pub(crate) also_of_v2: BTreeSet<String>,
    /// Response fields that v2 does not have under the same name.
    pub(crate) answer_fields: HashSet<String>,
    /// The names of v1's push notifications.
    pub(crate) notifications: BTreeSet<String>,
    /// Events of v2's webhooks.
    pub(crate) webhook_events: BTreeSet<String>,
    /// The names of v1's key and secret.
    pub(crate) key_and_secret: [String; 2],
    /// The names of v1's credentials in their spellings in code.
    pub(crate) credentials: Vec<String>,
    /// Words of lines that may contain a secret, in lower case.
    pub(crate) secret_words: Vec<String>,
}

/// A v1 path at the start of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathMatch {
    /// The operation; `None` for a path that clients call although v1 never had it.
    pub(crate) operation: Option<String>,
    /// Its length in bytes.
    pub(crate) length: usize,
    /// True if the path continues behind it.
    pub(crate) continues: bool,
}

impl Knowledge {
    /// Builds the index from the catalog, and from paths that clients call although v1 never had
    /// them.
    pub(crate) fn from_catalog(catalog: &Catalog, strays: &[String]) -> Self {
        let operations = catalog.operations().iter().map(|operation| Operation {
            name: operation.name.clone(),
            parameters: operation
                .parameters
                .iter()
                .map(|parameter| parameter.name.clone())
                .collect(),
            replacements: operation
                .v2_requests()
                .into_iter()
                .map(|(method, path)| format!("{method} {path}"))
                .collect(),
        });
        let aliases = catalog.operations().iter().flat_map(|operation| {
            operation
                .aliases
                .iter()
                .map(|alias| (alias.clone(), Some(operation.name.clone())))
        });
        let strays = strays.iter().map(|stray| (stray.clone(), None));
        let fields = catalog.fields().iter().flat_map(|field| {
            let kept = |name: &str| {
                field.places.iter().any(|place| match place {
                    Place::Document(place) => place.pointer.rsplit('/').next() == Some(name),
                    _ => false,
                })
            };
            field
                .parts
                .iter()
                .map(|part| part.name.clone())
                .filter(move |name| !kept(name) && is_distinctive_field(name))
        });
        let protocol = catalog.protocol();
        // Code also writes both without the underscore.
        let key_and_secret = [protocol.key.clone(), protocol.secret.clone()];
        let credentials = key_and_secret.each_ref();
        let credentials = credentials.map(|name| [name.clone(), name.replace('_', "")]);
        let secret_words = protocol.secret_words.iter();
        let notifications = catalog.notifications().iter();
        Self {
            notifications: notifications.clone().map(|one| one.name.clone()).collect(),
            webhook_events: notifications.map(|one| one.event.clone()).collect(),
            credentials: credentials.concat(),
            key_and_secret,
            secret_words: secret_words
                .chain(&protocol.secret_words_in_code)
                .cloned()
                .collect(),
            ..Self::new(operations, aliases.chain(strays), fields)
        }
    }

    /// Builds the index from operations, aliases and response fields.
    pub(crate) fn new(
        operations: impl IntoIterator<Item = Operation>,
        aliases: impl IntoIterator<Item = (String, Option<String>)>,
        answer_fields: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut knowledge = Self {
            operations: operations
                .into_iter()
                .map(|operation| (operation.name.clone(), operation))
                .collect(),
            aliases: aliases.into_iter().collect(),
            answer_fields: answer_fields.into_iter().collect(),
            ..Self::default()
        };
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for name in knowledge.operations.keys() {
            let mut at = 0;
            while let Some(slash) = name.get(at..).and_then(|rest| rest.find('/')) {
                let (resource, action) = name.split_at(at + slash);
                knowledge.resources.insert(resource.to_owned());
                knowledge
                    .actions
                    .insert(action.trim_start_matches('/').to_owned());
                at += slash + 1;
            }
            if let Some((head, _)) = name.split_once('/') {
                knowledge.heads.insert(head.to_owned());
            }
            if let Some((_, action)) = name.rsplit_once('/') {
                *last.entry(action).or_default() += 1;
            }
        }
        // A word that several resources share, such as `list`, is no evidence alone.
        knowledge.generic = last
            .into_iter()
            .filter(|(_, uses)| *uses > 1)
            .map(|(action, _)| action.to_owned())
            .collect();
        knowledge
    }

    /// An operation by its name.
    pub(crate) fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    /// True for the name of a parameter of any operation.
    pub(crate) fn is_parameter(&self, name: &str) -> bool {
        let mut operations = self.operations.values();
        operations.any(|operation| operation.parameters.iter().any(|known| known == name))
    }

    /// The parts of operations before a slash.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(String::as_str)
    }

    /// The parts of operations after a slash.
    pub(crate) fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str)
    }

    /// True if the text is the part of an operation before a slash: `user`, `im/group`.
    pub(crate) fn is_resource(&self, text: &str) -> bool {
        self.resources.contains(text)
    }

    /// True if the text is the part of an operation after a slash.
    pub(crate) fn is_action(&self, text: &str) -> bool {
        self.actions.contains(text)
    }

    /// The last words of operations, as calls may spell them.
    pub(crate) fn last_words(&self) -> impl Iterator<Item = &str> {
        self.operations
            .keys()
            .filter_map(|name| name.rsplit('/').next())
    }

    /// The operation that the names of a call spell, and what they are called on: `client` and
    /// `user/list` for `client.user.list` and `client.user_list`.
    pub(crate) fn spelt<'c>(&self, callee: &'c str) -> Option<(&'c str, &Operation)> {
        /// How many names of a call may make a path.
        const NAMES: usize = 4;
        let mut head = callee;
        let mut path = String::new();
        for _ in 0..NAMES {
            let (before, name) = split_member(head)?;
            let slash = if path.is_empty() { "" } else { "/" };
            path = format!("{}{slash}{path}", name.to_ascii_lowercase());
            head = before;
            let spellings = [path.clone(), path.replace('_', ""), path.replace('_', "/")];
            let mut found = spellings
                .iter()
                .filter_map(|spelling| self.operation(spelling));
            if let Some(operation) = found.next() {
                return Some((head, operation));
            }
        }
        None
    }

    /// Operations as names of methods, with a mark between the words: `user_list`, `user.list`.
    pub(crate) fn joined_names(&self, mark: &str) -> impl Iterator<Item = String> {
        self.operations
            .keys()
            .map(move |name| name.replace('/', mark))
    }

    /// True if v1 has paths that start with that word.
    pub(crate) fn is_head(&self, word: &str) -> bool {
        self.heads.contains(word)
    }

    /// True if the operation's name alone is evidence of v1: no other program has
    /// `user/getbyemail`.
    pub(crate) fn is_distinctive(&self, operation: &str) -> bool {
        let plain = |word: &str| {
            self.generic.contains(word)
                || word.len() < 7
                || matches!(
                    word,
                    "register"
                        | "meetings"
                        | "webinars"
                        | "activate"
                        | "deactivate"
                        | "questions"
                        | "checkemail"
                        | "updatepassword"
                        | "pending"
                )
        };
        // `webinar/uuid/list` ends with a common word, but only v1 has a `uuid` in its paths.
        let told = operation.split('/').skip(1).any(|word| {
            matches!(
                word,
                "uuid"
                    | "registrants"
                    | "attendees"
                    | "scheduleforhost"
                    | "assistant"
                    | "recording"
            )
        });
        let deep = operation.split('/').count() > 2;
        deep && told
            || operation
                .rsplit_once('/')
                .is_some_and(|(_, action)| !plain(action))
    }

    /// True if v2 has the same path, so that the text alone does not tell v1 from v2.
    pub(crate) fn is_shared(&self, operation: &str) -> bool {
        let is_replaced_by_itself = self.operation(operation).is_some_and(|known| {
            known.replacements.iter().any(|request| {
                request
                    .split_once(" /")
                    .is_some_and(|(_, path)| path == operation)
            })
        });
        is_replaced_by_itself || self.also_of_v2.contains(operation)
    }

    /// The first words of paths; short ones with the word after them.
    pub(crate) fn long_heads(&self) -> BTreeSet<String> {
        self.operations
            .keys()
            .chain(self.aliases.keys())
            .filter_map(|name| {
                let (head, rest) = name.split_once('/')?;
                if head.len() > 2 {
                    return Some(head.to_owned());
                }
                let (next, _) = rest.split_once('/')?;
                Some(format!("{head}/{next}"))
            })
            .collect()
    }

    /// Last words of paths that are unlikely in other programs.
    pub(crate) fn distinctive_actions(&self) -> BTreeSet<String> {
        self.operations
            .keys()
            .filter(|name| self.is_distinctive(name))
            .filter_map(|name| name.rsplit_once('/'))
            .map(|(_, action)| action.to_owned())
            .filter(|action| {
                action.len() > 8
                    && !matches!(
                        action.as_str(),
                        "registration" | "attendees" | "panelists" | "subscribe"
                    )
            })
            .collect()
    }

    /// The longest v1 path that a text starts with, in any letter case.
    pub(crate) fn path_at(&self, text: &str) -> Option<PathMatch> {
        let run = text
            .bytes()
            .take(LONGEST)
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-'))
            .count();
        let run = text.get(..run)?.to_ascii_lowercase();
        let mut end = run.len();
        loop {
            let candidate = run.get(..end)?;
            if candidate.contains('/') {
                let found = self
                    .operations
                    .get(candidate)
                    .map(|operation| Some(operation.name.clone()))
                    .or_else(|| self.aliases.get(candidate).cloned());
                if let Some(operation) = found {
                    let rest = run.get(end..).unwrap_or_default();
                    return Some(PathMatch {
                        operation,
                        length: end,
                        continues: !rest.trim_matches('/').is_empty(),
                    });
                }
            }
            end = candidate.rfind('/')?;
        }
    }
}

/// True if a field's name is not an everyday word.
fn is_distinctive_field(name: &str) -> bool {
    let prefixed = ["enable_", "disable_", "option_"]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    prefixed || name == "zpk" || name.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_calls_spell_operations() {
        let named = |name: &str| Operation {
            name: name.to_owned(),
            ..Operation::default()
        };
        let operations = ["user/list", "user/getbyemail", "im/group/list"].map(named);
        let knowledge = Knowledge::new(operations, [], []);
        for (callee, expected) in [
            (
                "$this->client->user->list",
                Some(("$this->client", "user/list")),
            ),
            ("client.user_list", Some(("client", "user/list"))),
            (
                "client.user.getByEmail",
                Some(("client", "user/getbyemail")),
            ),
            ("zoom.im.group.list", Some(("zoom", "im/group/list"))),
            ("client.im_group_list", Some(("client", "im/group/list"))),
            ("client.list", None),
        ] {
            let spelt = knowledge.spelt(callee);
            let spelt = spelt.map(|(head, operation)| (head, operation.name.as_str()));
            assert_eq!(spelt, expected, "{callee}");
        }
    }
}
