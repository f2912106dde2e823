//! Required OAuth scopes, and probes of v2's endpoints.

use std::collections::BTreeSet;

use mappings::{
    Catalog,
    catalog::{missing_scopes, operation::Operation, probes},
};

fn operations<'c>(catalog: &'c Catalog, names: &[&str]) -> Vec<&'c Operation> {
    let find = |name: &&str| catalog.find(name).unwrap();
    names.iter().map(find).collect()
}

#[test]
fn accepts_granular_classic_and_master_scopes() {
    let catalog = Catalog::embedded().unwrap();
    let deletes = operations(&catalog, &["user/assistant/delete"]);
    let missing = |granted: &str| missing_scopes(granted, deletes.iter().copied()).len();
    assert!(missing("") > 1);
    assert_eq!(missing("user:read:admin meeting:write:admin"), 1);
    assert_eq!(missing("user:read:admin user:write:admin"), 0);
    assert_eq!(missing("user:read:admin user:delete:assistant:admin"), 0);
    let accounts = operations(&catalog, &["ma/account/delete"]);
    assert!(missing_scopes("account:master", accounts).is_empty());
}

#[test]
fn missing_scope_lists_its_operations() {
    let catalog = Catalog::embedded().unwrap();
    let two = operations(&catalog, &["user/update", "user/get"]);
    let missing = missing_scopes("user:read:admin", two);
    let updates = missing
        .iter()
        .filter(|missing| missing.operations == ["user/update"]);
    let updates: Vec<_> = updates.map(|missing| missing.scope.as_str()).collect();
    assert!(updates.contains(&"user:update:user:admin"), "{missing:?}");
    assert!(
        missing
            .iter()
            .all(|missing| !missing.scope.contains(":read:")),
        "{missing:?}"
    );
}

#[test]
fn every_area_has_a_probe_listed_once() {
    let catalog = Catalog::embedded().unwrap();
    let probes = probes(catalog.operations(), "2026-11-29");
    let paths: BTreeSet<_> = probes.iter().map(|probe| &probe.path).collect();
    assert_eq!(paths.len(), probes.len());
    for area in [
        "/accounts",
        "/groups",
        "/h323/devices",
        "/im/groups",
        "/metrics/meetings",
        "/report/chat/sessions",
        "/report/daily",
        "/users",
        "/users/me",
        "/users/me/meetings",
        "/users/me/recordings",
        "/users/me/webinars",
    ] {
        assert!(paths.contains(&area.to_owned()), "{area}");
    }
    let mut dates = probes.iter().flat_map(|probe| &probe.query);
    assert!(dates.any(|(name, value)| name == "from" && value == "2026-11-29"));
    assert!(
        probes
            .iter()
            .flat_map(|probe| &probe.query)
            .all(|(_, value)| !value.contains('{'))
    );
}

#[test]
fn probes_are_reads_of_their_endpoints() {
    let wrong = [
        (
            "probe = { path = \"/users\", ",
            "probe = { path = \"/groups\", ",
        ),
        (
            "probe = { path = \"/users\", ",
            "probe = { path = \"/users/me\", ",
        ),
        (
            "probe = { path = \"/users\", ",
            "probe = { path = \"/users?a=b\", ",
        ),
    ];
    for (right, wrong) in wrong {
        let files = Catalog::embedded_files()
            .map(|(name, text)| (name.to_owned(), text.replace(right, wrong)));
        let error = Catalog::load(files).unwrap_err().to_string();
        assert!(error.contains("`probe` is for a GET"), "{error}");
    }
}
