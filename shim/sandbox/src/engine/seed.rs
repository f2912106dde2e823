//! Initial objects of an account.

use std::cell::RefCell;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::catalog::Catalog;
use super::template::Environment;
use super::{Store, user_document};
use crate::account::Account;
use crate::request::merge;
use crate::user::{Status, User};

/// Number of users who take part in meetings; further participants are guests.
const PEOPLE: usize = 40;

/// A store with the objects of all seeds. Their times are relative to the current time.
pub(crate) fn seeded_store(account: &Account) -> Store {
    let catalog = Catalog::embedded();
    let people = account
        .users
        .iter()
        .filter(|user| user.status == Status::Active)
        .take(PEOPLE);
    let mut store = Store::new(Environment {
        now: OffsetDateTime::now_utc(),
        people: people.map(person).collect(),
        words: &catalog.words,
        documents: &catalog.documents,
        // Fixed seed, so that runs are reproducible.
        random: RefCell::new(fastrand::Rng::with_seed(2026)),
    });
    let groups = [
        ("groups", &account.groups),
        ("im_groups", &account.im_groups),
    ];
    for (collection, groups) in groups {
        for (id, name) in groups {
            let pairs = [("id", id), ("name", name)];
            let members = pairs.map(|(member, value)| (member.to_owned(), value.as_str().into()));
            let group = object(&store, collection, &Map::from_iter(members), &[]);
            store.insert(collection, group);
        }
    }
    let mut labelled: Vec<(&str, Value)> = Vec::new();
    for seed in &catalog.seeds {
        let users: Vec<_> = seed
            .users
            .iter()
            .map(|(name, address)| {
                let user = user_document(account, address).unwrap_or_default();
                (name.as_str(), user)
            })
            .collect();
        // Skip meetings of hosts that the account lacks.
        if users.iter().any(|(_, user)| user.is_null()) {
            continue;
        }
        let mut last = Value::Null;
        for n in 0..seed.repeat {
            let number = Value::from(n);
            let person = store.env.person(n);
            let mut names: Vec<(&str, &Value)> = vec![("n", &number), ("person", &person)];
            names.extend(
                users
                    .iter()
                    .chain(labelled.iter().rev())
                    .map(|(name, value)| (*name, value)),
            );
            last = object(&store, &seed.into, &seed.object, &names);
            store.insert(&seed.into, last.clone());
        }
        if let Some(label) = &seed.label {
            labelled.push((label, last));
        }
    }
    store
}

/// Participant data of a user.
fn person(user: &User) -> Value {
    json!({ "id": user.id, "email": user.email, "display_name": user.display_name() })
}

/// Creates an object of a collection without storing it.
pub(super) fn object(
    store: &Store,
    collection: &str,
    members: &Map<String, Value>,
    names: &[(&str, &Value)],
) -> Value {
    let scope = super::Scope::new(&store.env, names);
    let Some(rules) = Catalog::embedded().collections.get(collection) else {
        return Value::Null;
    };
    let mut object = scope.members(&rules.new);
    merge(&mut object, scope.members(members));
    let given = Value::Object(object.clone());
    merge(
        &mut object,
        scope.inner(&[("self", &given)]).members(&rules.derive),
    );
    if let Some(behaviour) = rules.prepare {
        behaviour.prepare(&mut object);
    }
    Value::Object(object)
}
