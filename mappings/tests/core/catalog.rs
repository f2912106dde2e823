//! The built-in catalog, and mistakes that the loader reports.

use std::{collections::BTreeMap, num::NonZeroU32};

use mappings::Catalog;

use crate::driver::catalog;

#[test]
fn catalog_has_every_v1_endpoint() {
    let catalog = catalog();
    assert_eq!(catalog.operations().len(), 97);
    let served = catalog
        .operations()
        .iter()
        .filter(|operation| operation.is_served() && operation.name.starts_with("user/"));
    assert_eq!(served.count(), 22);
    for operation in catalog
        .operations()
        .iter()
        .filter(|operation| !operation.is_served())
    {
        assert!(
            !operation.v2_requests().is_empty(),
            "{} has no replacement",
            operation.name
        );
    }
}

#[test]
fn finds_operations_in_client_spellings() {
    let name = |path: &str| {
        catalog()
            .find(path)
            .map(|operation| operation.name.as_str())
    };
    assert_eq!(name("user/updatePassword"), Some("user/updatepassword"));
    assert_eq!(name("/user/getbyemail/"), Some("user/getbyemail"));
    assert_eq!(
        name("user/scheduleforhost"),
        Some("user/scheduleforhost/list")
    );
    assert_eq!(name("H323/Device/Add"), Some("h323/device/create"));
    assert_eq!(name("user/me"), None);
    assert_eq!(name(""), None);
}

/// Adds an unserved operation to the embedded files.
pub(crate) const UNSERVED: (&str, &str) = (
    "user/unserved.toml",
    "[operation.\"user/unserved\"]\nsummary = \"Is not served.\"\neffect = \"read\"\n\
     instead = [\"GET /users\"]\ninstead_source = \"users\"\n",
);

/// The embedded files with one change.
fn changed(file: &str, from: &str, to: &str) -> String {
    let files = Catalog::embedded_files().chain([UNSERVED]);
    let mut files: BTreeMap<String, String> = files
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let text = files.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} has no `{from}`");
    *text = text.replacen(from, to, 1);
    match Catalog::load(files) {
        Ok(_) => "no mistake was found".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// File, original text and replacement.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "user/operations.toml",
        "summary = \"A user by id.\"",
        "summary = \"A user by id.\"\nsumary = 1",
    ),
    (
        "user/operations.toml",
        "query = { type = \"zak\" }",
        "query = { type = \"{zak}\" }",
    ),
    (
        "user/operations.toml",
        "request = \"GET /users/{userId}\"",
        "request = \"GET /users/{user}\"",
    ),
    (
        "user/operations.toml",
        "request = \"GET /users/email\"",
        "request = \"GET users/email\"",
    ),
    (
        "user/operations.toml",
        "reads = \"email_check\"",
        "reads = \"emailcheck\"",
    ),
    (
        "user/operations.toml",
        "at = \"/status\", is = [\"pending\"]",
        "at = \"status\", is = [\"pending\"]",
    ),
    (
        "user/operations.toml",
        "at = \"/status\", is = [\"pending\"]",
        "at = \"/status\"",
    ),
    (
        "user/operations.toml",
        "plan = \"getbyemail\"",
        "plan = \"getbymail\"",
    ),
    (
        "user/fields.toml",
        "response = [[\"active\", 0]",
        "response = [[[\"active\"], 0]",
    ),
    (
        "user/fields.toml",
        "[true, true, \"cloud\"]]",
        "[true, [true], [\"cloud\"]]]",
    ),
    (
        "user/operations.toml",
        "view = \"page\"",
        "view = \"pages\"",
    ),
    (
        "user/operations.toml",
        "effect = \"read\"",
        "effect = \"reads\"",
    ),
    (
        "user/operations.toml",
        "requires = [\"email\"]",
        "requires = [\"mail\"]",
    ),
    (
        "user/operations.toml",
        "after = [\"create\"]",
        "after = [\"created\"]",
    ),
    (
        "user/operations.toml",
        "then = \"omit\"",
        "then = \"ignore\"",
    ),
    (
        "user/operations.toml",
        "on = [{ then = \"omit\" }]\nafter",
        "on = [{ then = \"omit\" }, { code = [1], then = \"skip\" }]\nafter",
    ),
    (
        "user/operations.toml",
        "option = { zak = true }",
        "option = { zac = true }",
    ),
    (
        "user/operations.toml",
        "option = { zak = true }",
        "option = { zak = \"yes\" }",
    ),
    (
        "user/operations.toml",
        "unsent.settings = \"v2 refuses settings while the user is pending\"",
        "",
    ),
    (
        "user/operations.toml",
        "otherwise = \"user_unknown\"",
        "otherwise = \"unknown_user\"",
    ),
    (
        "user/operations.toml",
        "aliases = [\"user/scheduleforhost\"]",
        "aliases = [\"user/get\"]",
    ),
    (
        "user/views.toml",
        "fields = [\"existed_email\"]",
        "fields = [\"existed_mail\"]",
    ),
    ("user/views.toml", "items.users = \"listed_user\"", ""),
    (
        "user/operations.toml",
        "file = \"pic_file\"\n\n",
        "file = \"pic_file\"\nbody = { a = 1 }\n\n",
    ),
    (
        "user/operations.toml",
        "v2 = { code = 1109 }",
        "v2 = { code = 1108 }",
    ),
    ("user/operations.toml", "v2 = { code = 1109 }", "v2 = {}"),
    (
        "user/operations.toml",
        "plan = \"picture\"",
        "plan = \"password_or_picture\"",
    ),
    (
        "user/operations.toml",
        "parameters = [\"checked_zpk\"]",
        "parameters = [\"checked_zpk\", \"zpk\"]",
    ),
    (
        "user/operations.toml",
        "parameters = [\"checked_zpk\"]",
        "parameters = [\"checked_zpk\", \"unheard_of\"]",
    ),
    ("user/operations.toml", "\"@profile\"", "\"@profil\""),
    (
        "user/fields.toml",
        "convert = \"negate\"",
        "convert = \"negated\"",
    ),
    ("user/fields.toml", "type = \"bool\"", "type = \"boolean\""),
    (
        "user/fields.toml",
        "v2 = \"settings:/in_meeting/chat\"",
        "v2 = \"settings:in_meeting/chat\"",
    ),
    (
        "user/fields.toml",
        "v2 = \"settings:/in_meeting/chat\"",
        "v2 = \"/in_meeting/chat\"",
    ),
    (
        "user/fields.toml",
        "v2 = \"settings:/in_meeting/chat\"",
        "v2 = []",
    ),
    (
        "user/fields.toml",
        "reason = \"v2 marks the setting as deprecated\"",
        "",
    ),
    ("user/fields.toml", "v1 = \"dept\"", "v1 = \"timezone\""),
    (
        "user/fields.toml",
        "response = [[\"active\", 0]",
        "response = [[\"pending\", 0]",
    ),
    (
        "user/fields.toml",
        "round_up = [30, 60",
        "round_up = [60, 30",
    ),
    (
        "user/fields.toml",
        "[true, true, \"cloud\"]]",
        "[true, \"cloud\"]]",
    ),
    (
        "user/fields.toml",
        "key = \"deleted_type\"",
        "key = \"type\"",
    ),
    ("common/protocol.toml", "[error.refused]", "[error.refusal]"),
    (
        "common/protocol.toml",
        "message = \"{Name} is required.\"",
        "message = \"{name is required.\"",
    ),
    (
        "common/protocol.toml",
        "message = \"{Name} is required.\"",
        "message = \"{what} is required.\"",
    ),
    (
        "common/protocol.toml",
        "v2 = { status = 429 }",
        "v2 = { status = 403, code = 7 }",
    ),
    (
        "common/protocol.toml",
        "v1 = { error = \"overloaded\" }",
        "v1 = { error = \"overload\" }",
    ),
    (
        "common/protocol.toml",
        "default = \"auto\"",
        "default = \"automatic\"",
    ),
    (
        "common/protocol.toml",
        "magic = \"ff d8 ff\"",
        "magic = \"JPEG\"",
    ),
    (
        "common/protocol.toml",
        "bool_true = [\"true\"",
        "bool_true = [\"True\"",
    ),
    (
        "common/protocol.toml",
        "other_prefixes = [\"api/v1\"]",
        "other_prefixes = [\"/api/v1\"]",
    ),
    (
        "common/requests.toml",
        "label = \"light\"",
        "label = \"lite\"",
    ),
    (
        "common/requests.toml",
        "[request.\"GET /users/email\"]",
        "[request.\"GET /users/mail\"]",
    ),
    (
        "common/requests.toml",
        "source = \"users\"",
        "source = \"user\"",
    ),
    (
        "meeting/operations.toml",
        "inner = \"of_host\"",
        "inner = \"of_guest\"",
    ),
    (
        "webinar/operations.toml",
        "webinar {create:/id} was",
        "webinar {made:/id} was",
    ),
    (
        "webinar/fields.toml",
        "{ option = { join_url = \"plain\" }, from = \"text:https://zoom.us/j/{listed:/id}\" }",
        "{ from = \"text:https://zoom.us/j/{listed:/id}\" }",
    ),
    (
        "webinar/fields.toml",
        "convert_of = \"participant\"",
        "convert_of = \"guest\"",
    ),
    (
        "meeting/operations.toml",
        "[operation.\"meeting/delete\"]",
        "[operation.\"meeting/create\"]",
    ),
    (
        "user/unserved.toml",
        "instead = [\"GET /users\"]",
        "instead = [\"/meetings\"]",
    ),
    (
        "meeting/operations.toml",
        "summary = \"Creates a meeting.\"",
        "summary = ",
    ),
];

/// Mistakes in members that a user operation or its response does not have.
const OTHER_MISTAKES: &[(&str, &str, &str)] = &[
    (
        "meeting/operations.toml",
        "subject = { meeting = [\"id\"] }",
        "subject = { meetings = [\"id\"] }",
    ),
    (
        "meeting/operations.toml",
        "equals = [\"/host_id\", \"/host_email\"]",
        "equals = []",
    ),
    (
        "meeting/operations.toml",
        "use = \"host_check\"",
        "use = \"host_chek\"",
    ),
    (
        "meeting/operations.toml",
        "[call.host_check]",
        "[call.other]\nrequest = \"GET /users\"\n\n[call.host_check]",
    ),
    (
        "meeting/operations.toml",
        "each = { list = \"meetings\"",
        "each = { list = \"metings\"",
    ),
    (
        "meeting/operations.toml",
        "value = \"/id\" }",
        "value = \"id\" }",
    ),
    (
        "meeting/fields.toml",
        "is = [1, 8], show = 0 }",
        "show = 0 }",
    ),
    (
        "meeting/fields.toml",
        "unknown = \"drop\"",
        "unknown = \"dropped\"",
    ),
    ("meeting/fields.toml", "cut = 200", "digits = [1, 200]"),
    (
        "meeting/views.toml",
        "items.occurrences = \"occurrence\"",
        "items.occurrences = \"meeting_with_occurrences\"",
    ),
    (
        "meeting/views.toml",
        "items.meetings = \"listed_meeting\"",
        "items.meetings = \"listed\"",
    ),
    (
        "group/operations.toml",
        "batch = 30",
        "batch = 30, subject = \"/id\"",
    ),
    (
        "group/operations.toml",
        "body = { members = \"{elements}\" }",
        "body = { members = \"{item:/id}\" }",
    ),
    (
        "group/operations.toml",
        "then = \"done\" }]",
        "then = \"done\" }, { code = [4131], then = \"skip\" }]",
    ),
    (
        "group/fields.toml",
        "ids_of = \"user\"",
        "ids_of = \"users\"",
    ),
    ("group/fields.toml", "member = [\"id\", \"email\"]", ""),
    (
        "group/fields.toml",
        "\"parts:added:/ids\"",
        "\"parts:clock\"",
    ),
    (
        "recording/operations.toml",
        "months = \"recording_months\"",
        "months = \"recording_month\"",
    ),
    (
        "recording/operations.toml",
        "after = \"host:/user_created_at\"",
        "after = \"nobody:/user_created_at\"",
    ),
    (
        "recording/operations.toml",
        "longer = \"split\"",
        "longer = \"splits\"",
    ),
    (
        "recording/operations.toml",
        "of = \"months\"\nsort",
        "of = \"month\"\nsort",
    ),
    (
        "recording/operations.toml",
        "page = { number = \"page_number\"",
        "page = { number = \"page\"",
    ),
    (
        "recording/operations.toml",
        "{window.from}",
        "{window.begin}",
    ),
    (
        "recording/operations.toml",
        "range = [1, 119]\ndefault = 24",
        "range = [1, 119]\ndefault = 0",
    ),
    (
        "report/operations.toml",
        "mode = \"token\"",
        "mode = \"tokens\"",
    ),
    (
        "report/operations.toml",
        "where = [{ at = \"/type\", is = [5, 6, 9] }]",
        "where = [{ at = \"/type\" }]",
    ),
    (
        "ma/operations.toml",
        "enabled_by = \"",
        "enabled_by = \"not_",
    ),
];

/// Removes line numbers, which change with every edit of the catalog.
fn without_lines(text: &str) -> String {
    let mut parts = text.split(".toml:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + ".toml:_" + part.trim_start_matches(|digit: char| digit.is_ascii_digit())
    })
}

#[test]
fn reports_mistakes_with_file_line_and_reason() {
    let mut text = String::new();
    for (file, from, to) in MISTAKES.iter().chain(OTHER_MISTAKES) {
        let told = without_lines(&changed(file, from, to));
        text += &format!("{file}: {from} → {to}\n{told}\n\n");
    }
    assert!(!text.contains("no mistake was found"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn line_numbers_start_at_one() {
    let broken = "[set]\n\n[operation.\"user/x\"]\nsummary = \"…\"\neffect = \"reed\"\n";
    let Err(error) = Catalog::with_overrides([("site.toml".to_owned(), broken.to_owned())]) else {
        panic!("the file is broken");
    };
    assert_eq!(
        error.to_string(),
        "site.toml:5: unknown value `reed`, expected `read` or `write`"
    );
}

#[test]
fn site_overlay_changes_single_fields() {
    let overlay = |text: &str| {
        let file = ("user/overlay.toml".to_owned(), text.to_owned());
        Catalog::with_overrides([file]).map_err(|error| error.to_string())
    };
    let changed =
        overlay("[field.dept]\nmax = 3\nfidelity = \"lossy\"\nreason = \"short here\"\n").unwrap();
    let dept = changed
        .fields()
        .iter()
        .find(|field| field.names() == "dept")
        .unwrap();
    assert_eq!(
        (dept.parts[0].max, dept.reason.as_deref()),
        (Some(3), Some("short here"))
    );
    assert_eq!(
        dept.pointer_in("user"),
        Some("/dept"),
        "what it does not say stays"
    );
    assert_eq!(dept.location.to_string(), "user/overlay.toml:1");
    for (text, told) in [
        (
            "[field.depth]\nmax = 3\n",
            "user/overlay.toml:1: unknown field `depth`",
        ),
        (
            "\n[field.dept]\nmaximum = 3\n",
            "user/overlay.toml:2: unknown field `maximum`",
        ),
        (
            "[field.dept]\ntype = \"tex\"\n",
            "user/overlay.toml:1: unknown value `tex`, expected one of `bool`",
        ),
        ("[view.x]\n", "user/overlay.toml:1: unknown field `view`"),
    ] {
        let error = overlay(text).unwrap_err();
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn accepts_legacy_site_file_names() {
    let (_, text) = Catalog::embedded_files()
        .find(|(name, _)| *name == "common/rates.toml")
        .unwrap();
    let text = text.replace("[rate.pro]", "[rate.gold]");
    let catalog = Catalog::with_overrides([("rates.toml".to_owned(), text)]).unwrap();
    assert!(catalog.rates().contains_key("gold") && !catalog.rates().contains_key("pro"));
    let broken = (
        "mc.toml".to_owned(),
        "[operation.\"mc/x\"]\nsummary = 1\n".to_owned(),
    );
    assert!(Catalog::with_overrides([broken]).is_err());
}

#[test]
fn rates_have_a_source_and_are_nonzero() {
    let catalog = Catalog::embedded().unwrap();
    let plans: Vec<_> = catalog.rates().keys().map(String::as_str).collect();
    assert_eq!(plans, ["business", "free", "pro"]);
    let pro = &catalog.rates()["pro"];
    assert_eq!(pro.medium.get(), 20);
    assert_eq!(pro.heavy_daily.map(NonZeroU32::get), Some(30_000));
    assert_eq!(pro.light_daily, None);
    let told = |light: u32, source: &str| {
        let text = format!(
            "[rate.gold]\nlight = {light}\nmedium = 1\nheavy = 1\nresource-intensive = 1\n\
             source = \"{source}\"\n"
        );
        let loaded = Catalog::with_overrides([("site.toml".to_owned(), text)]);
        loaded
            .map(|catalog| catalog.rates().len())
            .map_err(|error| error.to_string())
    };
    assert_eq!(told(1, "the contract"), Ok(4));
    assert!(told(0, "the contract").unwrap_err().contains("nonzero"));
    assert!(
        told(1, " ")
            .unwrap_err()
            .contains("rate `gold` has no source")
    );
}
