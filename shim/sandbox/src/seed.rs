//! Initial account of a sandbox. Its users are data: `seed.toml`.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::account::Account;
use super::config::{MAX_USERS, SandboxConfig};
use super::embedded;
use super::request::Members;
use super::role::Role;
use super::settings;
use super::user::{Assistant, Status, User, login, plan};

/// 2019-03-04T08:30:00Z: join time of the first user; the others follow at intervals.
const FIRST_JOINED: i64 = 1_551_688_200;
const BETWEEN_JOINS: Duration = Duration::seconds(3 * 86_400 + 4_321);
/// 2026-01-12T07:00:00Z: latest sign-in; the others precede it.
const LAST_SIGN_IN: i64 = 1_768_201_200;

/// TOML form of `seed.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seed {
    domain: String,
    pub(crate) scope: String,
    timezones: Vec<String>,
    depts: Vec<String>,
    client_versions: Vec<String>,
    people: Vec<Person>,
    owner: Person,
    others: Vec<Person>,
    groups: Vec<SeedGroup>,
    im_groups: Vec<SeedGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    /// Local part of the email address; derived from the name by default.
    email: Option<String>,
    email_domain: Option<String>,
    #[serde(default = "licensed", rename = "type")]
    plan: i64,
    #[serde(default = "password_login")]
    login_types: Vec<i64>,
    #[serde(default)]
    role: Role,
    #[serde(default)]
    status: Status,
    dept: Option<String>,
    job_title: Option<String>,
    location: Option<String>,
    timezone: Option<String>,
    vanity_name: Option<String>,
    employee_unique_id: Option<String>,
    /// True if the user has the webinar feature.
    #[serde(default)]
    webinar: bool,
    #[serde(default)]
    picture: bool,
    #[serde(default)]
    assistants: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedGroup {
    name: String,
    members: Vec<String>,
}

impl Seed {
    pub(crate) fn embedded() -> &'static Self {
        static SEED: LazyLock<Seed> =
            LazyLock::new(|| embedded::toml("seed.toml", include_str!("seed.toml")));
        &SEED
    }

    /// Creates the initial account.
    pub(crate) fn populate(&self, config: SandboxConfig) -> Account {
        let active = config.users.clamp(1, MAX_USERS - self.others.len());
        let mut account = Account::new(config);
        // Users of every account come first, so that their ids do not depend on the account's size.
        account.groups = found(&self.groups, &mut account);
        account.im_groups = found(&self.im_groups, &mut account);
        let fixed: Vec<_> = [&self.owner]
            .into_iter()
            .chain(&self.others)
            .enumerate()
            .map(|(position, person)| self.user(&mut account, person, active - 1 + position, 0))
            .collect();
        for position in 0..active - 1 {
            if let Some(person) = self.people.get(position % self.people.len()) {
                let user = self.user(&mut account, person, position, position / self.people.len());
                account.users.insert(user);
            }
        }
        for user in fixed {
            account.users.insert(user);
        }
        self.appoint_assistants(&mut account);
        let groups = account.groups.clone();
        enrol(&self.groups, &groups, &mut account, |user| &mut user.groups);
        let groups = account.im_groups.clone();
        enrol(&self.im_groups, &groups, &mut account, |user| {
            &mut user.im_groups
        });
        account
    }

    /// Creates the `round`th user from a person. Special properties apply to the first one only.
    fn user(&self, account: &mut Account, person: &Person, position: usize, round: usize) -> User {
        let (first_name, last_name) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        let local = person
            .email
            .clone()
            .unwrap_or_else(|| person.name.to_lowercase().replace(' ', "."));
        let number = if round == 0 {
            String::new()
        } else {
            (round + 1).to_string()
        };
        let once = |value: &Option<String>| value.clone().filter(|_| round == 0);
        let ordinal = i32::try_from(position).unwrap_or_default();

        let mut profile = Members::new();
        profile.insert("first_name".to_owned(), first_name.into());
        profile.insert(
            "last_name".to_owned(),
            format!("{last_name} {number}").trim().into(),
        );
        let timezone = once(&person.timezone).or_else(|| cycled(&self.timezones, position));
        let dept = once(&person.dept).or_else(|| cycled(&self.depts, position));
        let members = [
            ("timezone", timezone),
            ("dept", dept),
            ("job_title", once(&person.job_title)),
            ("location", once(&person.location)),
        ];
        for (member, value) in members {
            if let Some(value) = value {
                profile.insert(member.to_owned(), value.into());
            }
        }
        let last_login = moment(LAST_SIGN_IN) - Duration::minutes(97) * ordinal;
        let client = cycled(&self.client_versions, position).unwrap_or_default();
        let domain = person.email_domain.as_ref().unwrap_or(&self.domain);
        let user = account.new_user(format!("{local}{number}@{domain}"), plan::LICENSED);
        let mut user = User {
            status: person.status,
            host_key: Some(format!("{:06}", account.fresh_number() % 1_000_000)),
            vanity_name: once(&person.vanity_name),
            employee_unique_id: once(&person.employee_unique_id),
            picture: (person.picture && round == 0).then(|| account.fresh_number()),
            created_at: moment(FIRST_JOINED) + BETWEEN_JOINS * ordinal,
            last_login: (person.status == Status::Active).then_some((last_login, client)),
            profile,
            ..user
        };
        if round == 0 {
            user.plan = person.plan;
            user.role = person.role;
            user.login_types.clone_from(&person.login_types);
        }
        if person.webinar && round == 0 {
            let feature = json!({ "webinar": true, "webinar_capacity": 500 });
            let feature = Members::from_iter([("feature".to_owned(), feature)]);
            settings::change(&mut user, settings::MAIN, feature);
        }
        user
    }

    fn appoint_assistants(&self, account: &mut Account) {
        for person in &self.people {
            let ids: Vec<_> = person
                .assistants
                .iter()
                .filter_map(|address| account.users.by_email(address))
                .map(|user| Assistant {
                    id: user.id.clone(),
                    manages_private_events: false,
                })
                .collect();
            let name = person.name.to_lowercase().replace(' ', ".");
            if let Some(user) = account.users.find_mut(&format!("{name}@{}", self.domain)) {
                user.assistants = ids;
            }
        }
    }
}

fn found(groups: &[SeedGroup], account: &mut Account) -> Vec<(String, String)> {
    let groups = groups.iter();
    groups
        .map(|group| (account.fresh_id(), group.name.clone()))
        .collect()
}

fn enrol(
    groups: &[SeedGroup],
    found: &[(String, String)],
    account: &mut Account,
    memberships: fn(&mut User) -> &mut Vec<String>,
) {
    for (group, (id, _)) in groups.iter().zip(found) {
        for address in &group.members {
            if let Some(user) = account.users.find_mut(address) {
                memberships(user).push(id.clone());
            }
        }
    }
}

fn cycled(values: &[String], position: usize) -> Option<String> {
    values
        .iter()
        .cycle()
        .nth(position % values.len().max(1))
        .cloned()
}

fn moment(unix_seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix_seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn licensed() -> i64 {
    plan::LICENSED
}

fn password_login() -> Vec<i64> {
    vec![login::PASSWORD]
}
