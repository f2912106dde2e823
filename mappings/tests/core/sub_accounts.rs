//! Sub accounts of master accounts: plans, responses, and assumptions of v1 programs.

use mappings::{Outcome, Site, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{Run, error, no_content, ok, run, run_at, site_with_option},
    plans::{transcript, transcript_at},
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("ma/account/create", OWNER),
    ("ma/account/create", CREATE),
    ("ma/account/get", ACCOUNT),
    ("ma/account/list", &[]),
    ("ma/account/update", ACCOUNT),
    ("ma/account/update", UPDATE),
    ("ma/account/delete", ACCOUNT),
    ("ma/account/billing/update", ACCOUNT),
    (
        "ma/account/billing/update",
        &[
            ("account_id", "a1"),
            ("first_name", "Ada"),
            ("last_name", "Lovelace"),
            ("phone_number", "+1 555 0100"),
            ("address", "1 Main St"),
            ("apt", "2"),
            ("city", "San Jose"),
            ("state", "CA"),
            ("zip", "95113"),
            ("country", "US"),
        ],
    ),
    ("ma/account/plan/get", ACCOUNT),
];

const SPENDING: &[(&str, &[(&str, &str)])] = &[
    ("ma/account/plan/subscribe", SUBSCRIBE),
    (
        "ma/account/plan/add",
        &[
            ("account_id", "a1"),
            ("plan", r#"{"type":"webinar100_monthly","hosts":"2"}"#),
        ],
    ),
    (
        "ma/account/plan/update",
        &[
            ("account_id", "a1"),
            ("type", "1"),
            ("plan[type]", "monthly"),
            ("plan[hosts]", "9"),
        ],
    ),
    (
        "ma/account/plan/update",
        &[
            ("account_id", "a1"),
            ("type", "2"),
            ("plan", r#"{"type":"zroom_monthly","hosts":3}"#),
        ],
    ),
];

const ACCOUNT: &[(&str, &str)] = &[("account_id", "a1")];
const OWNER: &[(&str, &str)] = &[
    ("email", "ada@example.com"),
    ("first_name", "Ada"),
    ("last_name", "Lovelace"),
    ("password", "Secret-123"),
];
const CREATE: &[(&str, &str)] = &[
    ("email", "ada@example.com"),
    ("first_name", "Ada"),
    ("last_name", "Lovelace"),
    ("password", "Secret-123"),
    ("enable_share_rc", "true"),
    ("share_rc", "10.0.0.1, 10.0.0.2,"),
    ("pay_mode", "0"),
    ("meeting_capacity", "100"),
];
const UPDATE: &[(&str, &str)] = &[
    ("account_id", "a1"),
    ("enable_share_rc", "1"),
    ("share_rc", "10.0.0.1"),
    ("enable_share_mc", "True"),
    ("share_mc[]", "10.0.0.2"),
    ("pay_mode", "1"),
    ("collection_method", "0"),
    ("enable_pstn", "false"),
    ("enable_call_out", "true"),
    ("enable_enforce_login", "true"),
    ("enable_enforce_login_sd", "false"),
    ("enforce_login_domains", "example.com,example.org"),
    ("meeting_capacity", "50"),
    ("disable_cmr_reminder", "true"),
    ("enable_only_host_download_cmr", "true"),
    ("enable_same_account_access_cmr", "false"),
];
const SUBSCRIBE: &[(&str, &str)] = &[
    ("account_id", "a1"),
    ("first_name", "Ada"),
    ("last_name", "Lovelace"),
    ("phone_number", "+1 555 0100"),
    ("address", "1 Main St"),
    ("apt", ""),
    ("city", "San Jose"),
    ("country", "US"),
    ("state", "CA"),
    ("zip", "95113"),
    ("plan_base", r#"{"type":"monthly","hosts":5}"#),
    ("plan_zoom_rooms[type]", "zroom_monthly"),
    ("plan_zoom_rooms[hosts]", "2"),
    (
        "plan_room_connector",
        r#"{"type":"roomconnector_monthly","hosts":1}"#,
    ),
    (
        "plan_large_meeting",
        r#"[{"type":"large500_monthly","hosts":1}]"#,
    ),
    ("plan_webinar[][type]", "webinar100_monthly"),
    ("plan_webinar[][hosts]", "1"),
    ("plan_recording", "cmr_monthly_commitment_40"),
    (
        "plan_audio",
        r#"{"type":"tollfree_payongo","tollfree_country":"US,CA","premium_country":"DE","callout":1,"ddi_numbers":2}"#,
    ),
];

fn account() -> Value {
    json!({
        "id": "a1", "owner_id": "u1", "owner_email": "owner@example.com", "account_name": "Ada's",
        "account_type": "Pro", "seats": 5, "subscription_start_time": "2026-01-02T03:04:05.000Z",
        "subscription_end_time": "2027-01-02T03:04:05Z", "created_at": "2025-12-31T23:59:59+01:00",
    })
}

fn contact() -> Value {
    json!({
        "email": "billing@example.com", "first_name": "Ada", "last_name": "Lovelace",
        "phone_number": "+1 555 0100", "address": "1 Main St", "apt": "2", "city": "San Jose",
        "state": "CA", "zip": "95113", "country": "US", "employee_count": "50",
    })
}

fn plans() -> Value {
    json!({
        "plan_base": { "type": "monthly", "hosts": 5, "status": "active", "next_invoice_date": "2026-02-01" },
        "plan_zoom_rooms": { "type": "zroom_monthly", "hosts": 2, "status": "cancelled" },
        "plan_room_connector": { "type": "roomconnector_monthly", "hosts": 1 },
        "plan_large_meeting": [{ "type": "large500_monthly", "hosts": 1 }],
        "plan_webinar": [
            { "type": "webinar100_monthly", "hosts": 1, "status": "active" },
            { "type": "webinar500_monthly", "hosts": 2, "status": "cancelled" },
        ],
        "plan_recording": "cmr_monthly_commitment_40",
        "plan_audio": {
            "type": "tollfree_payongo", "tollfree_countries": "US,CA", "premium_countries": "DE",
            "callout_countries": "US", "ddi_numbers": 2,
        },
        "plan_phone": { "plan_base": { "type": "phone_pro" } },
    })
}

fn success(request: &V2Request) -> Outcome {
    match (request.method.as_str(), &*request.template) {
        ("GET", "/accounts/{accountId}") | ("POST", "/accounts") => ok(account()),
        ("GET", "/accounts") => ok(json!({
            "page_count": 1, "page_number": 1, "page_size": 30, "total_records": 2,
            "accounts": [
                account(),
                { "id": "a2", "owner_email": "free@example.com", "account_type": "Free", "seats": 0,
                  "subscription_start_time": "", "created_at": "2026-01-01T00:00:00Z" },
            ],
        })),
        ("GET", "/accounts/{accountId}/billing") => ok(contact()),
        ("GET" | "POST", "/accounts/{accountId}/plans") => ok(plans()),
        _ => no_content(),
    }
}

/// A site with paid operations enabled.
fn spending() -> Site {
    site_with_option("plan_writes", true)
}

fn spend(
    operation: &str,
    arguments: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Result<Run, String> {
    run_at(&spending(), operation, arguments, v2)
}

/// `SUBSCRIBE` with other values.
fn subscribe<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let base = |name: &'a str| name.split('[').next().unwrap_or_default();
    let kept = SUBSCRIBE.iter().copied();
    let kept = kept.filter(|(name, _)| !other.iter().any(|(other, _)| base(other) == base(name)));
    kept.chain(other.iter().copied()).collect()
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn plans_and_answers_of_paid_operations() {
    insta::assert_snapshot!(transcript_at(&spending(), SPENDING, success));
}

#[test]
fn paid_operations_are_off_by_default() {
    for (operation, arguments) in SPENDING {
        let refused = run(operation, arguments, |_| panic!("something was sent"));
        assert_eq!(
            refused.err().unwrap(),
            format!("200 No permission: {operation} is not allowed for this api key.")
        );
    }
}

#[test]
fn rejects_reserved_account_ids_before_any_call() {
    let operations = REQUESTS.iter().chain(SPENDING).map(|(name, _)| *name);
    let about_one =
        operations.filter(|name| !matches!(*name, "ma/account/create" | "ma/account/list"));
    for operation in about_one {
        for id in ["me", "ME", "billing", ".", ".."] {
            let mut arguments = subscribe(&[("plan", "x"), ("type", "1")]);
            arguments[0] = ("account_id", id);
            let nothing = |_: &V2Request| panic!("{operation} sent something");
            let error = match spend(operation, &arguments, nothing) {
                Err(error) => error,
                Ok(run) => run.error(),
            };
            let unknown =
                format!("2001 This account does not exist or does not belong to you: {id}");
            assert_eq!(error, unknown, "{operation}");
        }
    }
}

#[test]
fn unknown_account_error_quotes_the_clients_id() {
    let gone = |_: &V2Request| error(404, 2001, "Account does not exist: a1");
    for (operation, arguments) in REQUESTS.iter().chain(SPENDING) {
        if matches!(*operation, "ma/account/create" | "ma/account/list") {
            continue;
        }
        assert_eq!(
            spend(operation, arguments, gone).unwrap().error(),
            "2001 This account does not exist or does not belong to you: a1",
            "{operation}"
        );
    }
}

#[test]
fn unmapped_errors_keep_v2s_message() {
    for code in [2010, 2100, 3200, 3201, 3211, 3261, 10200] {
        let refused = |_: &V2Request| error(400, code, "Invalid parameter: country");
        for (operation, arguments) in SPENDING {
            assert_eq!(
                spend(operation, arguments, refused).unwrap().error(),
                format!("{code} Invalid parameter: country"),
                "{operation}"
            );
        }
    }
    let owner = |_: &V2Request| error(404, 1001, "User does not exist.");
    let run = spend("ma/account/plan/add", SPENDING[1].1, owner).unwrap();
    assert_eq!(run.error(), "1001 User does not exist.");
    let known = |_: &V2Request| error(409, 1005, "Email has already been used.");
    let run = crate::driver::run("ma/account/create", OWNER, known).unwrap();
    assert_eq!(
        run.error(),
        "1005 User already in the account: ada@example.com"
    );
    let paid = |_: &V2Request| error(404, 2000, "You cannot disassociate a paid account.");
    let run = crate::driver::run("ma/account/delete", ACCOUNT, paid).unwrap();
    assert_eq!(run.error(), "2000 Cannot disassociate a paid account.");
}

#[test]
fn error_body_with_success_status_is_an_error() {
    let text =
        "The pay mode cannot be updated for a sub account which already has an existing plan.";
    let v2 = |_: &V2Request| error(200, 200, text);
    let run = run("ma/account/update", &UPDATE[..6], v2).unwrap();
    assert_eq!(run.error(), format!("200 {text}"));
}

#[test]
fn created_account_remains_if_its_settings_fail() {
    let free = |request: &V2Request| match &*request.template {
        "/accounts/{accountId}/settings" => error(400, 200, "Only available for paid accounts."),
        _ => success(request),
    };
    let run = run("ma/account/create", CREATE, free).unwrap();
    assert_eq!(run.finished.answer.warnings.len(), 1);
    assert_eq!(run.answer()["id"], "a1");
}

#[test]
fn partial_failure_of_a_change_is_reported() {
    let v2 = |request: &V2Request| match &*request.template {
        "/accounts/{accountId}/settings" => error(400, 300, "The account must be paid."),
        _ => success(request),
    };
    let run = run("ma/account/update", UPDATE, v2).unwrap();
    assert_eq!(
        run.error(),
        "300 The account must be paid. (sub account a1: options stored, settings not stored; \
         the same request again does what is missing, once v2 no longer refuses it)"
    );
}

#[test]
fn absent_parameters_keep_stored_values() {
    let arguments = [("account_id", "a1"), ("pay_mode", "0")];
    let run = run("ma/account/update", &arguments, success).unwrap();
    assert_eq!(
        run.requests(),
        [r#"PATCH /accounts/a1/options {"pay_mode":"sub"}"#]
    );
}

#[test]
fn joins_domains_with_semicolons() {
    for domains in ["example.com,example.org", "example.com;example.org"] {
        let arguments = [("account_id", "a1"), ("enforce_login_domains", domains)];
        let run = run("ma/account/update", &arguments, success).unwrap();
        let sent = r#"PATCH /accounts/a1/settings {"schedule_meeting":{"enforce_login_domains":"example.com;example.org"}}"#;
        assert_eq!(run.requests(), [sent]);
    }
}

#[test]
fn unreadable_contact_is_omitted_but_unknown_account_fails() {
    let without = |code: i64| {
        move |request: &V2Request| match &*request.template {
            "/accounts/{accountId}/billing" => error(404, code, "No billing account."),
            _ => success(request),
        }
    };
    let left_out = run("ma/account/plan/get", ACCOUNT, without(3201)).unwrap();
    assert_eq!(left_out.warned().len(), 1);
    let answer = left_out.answer();
    assert!(
        answer.get("city").is_none() && answer["plan_base"]["hosts"] == 5,
        "{answer}"
    );
    let run = run("ma/account/plan/get", ACCOUNT, without(2001)).unwrap();
    assert!(run.error().starts_with("2001 "), "{}", run.error());
}

#[test]
fn omits_expired_and_absent_plans() {
    let v2 = |request: &V2Request| match &*request.template {
        "/accounts/{accountId}/plans" => ok(json!({
            "plan_base": { "type": "monthly", "hosts": 5, "status": "expired" },
            "plan_recording": "cmr_monthly_commitment_40", "plan_recording_status": "expired",
            "plan_audio": { "type": "tollfree_payongo", "status": "expired" },
        })),
        _ => success(request),
    };
    let answer = run("ma/account/plan/get", ACCOUNT, v2).unwrap().answer();
    let plans = answer.as_object().unwrap().keys();
    assert_eq!(
        plans.filter(|name| name.starts_with("plan_")).count(),
        0,
        "{answer}"
    );
}

#[test]
fn converts_call_out_countries() {
    for (countries, callout) in [
        (json!(null), None),
        (json!(""), None),
        (json!("US"), Some(1)),
        (json!("US,CA"), Some(2)),
        (json!("CA"), Some(2)),
    ] {
        let v2 = |request: &V2Request| match &*request.template {
            "/accounts/{accountId}/plans" => ok(json!({
                "plan_audio": { "type": "tollfree_payongo", "callout_countries": countries }
            })),
            _ => success(request),
        };
        let answer = run("ma/account/plan/get", ACCOUNT, v2).unwrap().answer();
        let shown = answer["plan_audio"].get("callout").and_then(Value::as_i64);
        assert_eq!(shown, callout, "{countries}");
    }
}

#[test]
fn parses_plans_in_all_spellings() {
    let sent = |plan: &[(&str, &str)]| {
        let run = spend("ma/account/plan/subscribe", &subscribe(plan), success).unwrap();
        let body = run.requests()[1]
            .strip_prefix("POST /accounts/a1/plans ")
            .unwrap();
        serde_json::from_str::<Value>(body).unwrap()
    };
    for base in [
        &[("plan_base", r#"{"type":"monthly","hosts":5}"#)][..],
        &[("plan_base", r#"{"type":"monthly","hosts":"5"}"#)],
        &[("plan_base[type]", "monthly"), ("plan_base[hosts]", "5")],
    ] {
        assert_eq!(
            sent(base)["plan_base"],
            json!({ "type": "monthly", "hosts": 5 }),
            "{base:?}"
        );
    }
    assert_eq!(
        sent(&[("plan_base", "trial")])["plan_base"],
        json!({ "type": "trial" })
    );
    let two = json!([{ "type": "a", "hosts": 1 }, { "type": "b", "hosts": 2 }]);
    for webinar in [
        &[(
            "plan_webinar",
            r#"[{"type":"a","hosts":1},{"type":"b","hosts":2}]"#,
        )][..],
        &[
            ("plan_webinar[][type]", "a"),
            ("plan_webinar[][hosts]", "1"),
            ("plan_webinar[][type]", "b"),
            ("plan_webinar[][hosts]", "2"),
        ],
        &[
            ("plan_webinar[0][type]", "a"),
            ("plan_webinar[0][hosts]", "1"),
            ("plan_webinar[1][type]", "b"),
            ("plan_webinar[1][hosts]", "2"),
        ],
    ] {
        assert_eq!(sent(webinar)["plan_webinar"], two, "{webinar:?}");
    }
    assert_eq!(
        sent(&[("plan_audio", r#"{"type":"tollfree_payongo","callout":1}"#)])["plan_audio"],
        json!({ "type": "tollfree_payongo", "callout_countries": "US" })
    );
}

#[test]
fn rejects_invalid_plans_before_any_call() {
    for (name, value) in [
        ("plan_base", r#"{"type":"monthly","hosts":"many"}"#),
        ("plan_base", r#"{"type":"monthly","increasing_hosts":1}"#),
        ("plan_base", "[1]"),
        ("plan_webinar", "[[1]]"),
        ("plan_audio", r#"{"type":"tollfree_payongo","callout":2}"#),
    ] {
        let arguments = subscribe(&[(name, value)]);
        let refused = spend("ma/account/plan/subscribe", &arguments, |_| {
            panic!("something was sent")
        });
        assert_eq!(
            refused.err().unwrap(),
            format!("300 Invalid parameter: {name}"),
            "{value}"
        );
    }
    let arguments = [("account_id", "a1"), ("type", "3"), ("plan", "monthly")];
    let refused = spend("ma/account/plan/update", &arguments, success);
    assert_eq!(refused.err().unwrap(), "300 Invalid parameter: type");
}

#[test]
fn missing_plan_hosts_error_uses_the_v1_name() {
    let refused = |_: &V2Request| {
        Outcome::Answered {
        status: 400,
        body: Some(
            json!({ "code": 300, "message": "Validation Failed.", "errors": [{ "field": "hosts" }] })
                .into(),
        ),
    }
    };
    for operation in ["ma/account/plan/add", "ma/account/plan/update"] {
        let arguments = [
            ("account_id", "a1"),
            ("type", "2"),
            ("plan", "webinar100_monthly"),
        ];
        let run = spend(operation, &arguments, refused).unwrap();
        assert!(
            run.requests()[0].ends_with(r#" {"type":"webinar100_monthly"}"#),
            "{:?}",
            run.requests()
        );
        assert_eq!(run.error(), "300 Invalid parameter: plan", "{operation}");
    }
}

#[test]
fn misspelt_address_parameter_is_reported_missing() {
    let arguments: Vec<_> = subscribe(&[("address", ""), ("addres", "1 Main St")]);
    let refused = spend("ma/account/plan/subscribe", &arguments, success);
    assert_eq!(refused.err().unwrap(), "300 Address is required.");
}

#[test]
fn contact_address_defaults_to_the_owners() {
    let run = spend("ma/account/plan/subscribe", SUBSCRIBE, success).unwrap();
    assert!(
        run.requests()[1].contains(r#""email":"owner@example.com""#),
        "{:?}",
        run.requests()
    );
    assert_eq!(run.answer()["email"], "owner@example.com");
    let arguments = subscribe(&[("email", "bills@example.com")]);
    let run = spend("ma/account/plan/subscribe", &arguments, success).unwrap();
    assert_eq!(run.requests().len(), 1);
    assert!(
        run.requests()[0].contains(r#""email":"bills@example.com""#),
        "{:?}",
        run.requests()
    );
    assert_eq!(run.answer()["email"], "bills@example.com");
}

#[test]
fn unanswered_subscription_is_not_repeated() {
    let lost = |request: &V2Request| match request.method.is_read() {
        true => success(request),
        false => Outcome::NoAnswer { maybe_done: true },
    };
    let run = spend("ma/account/plan/subscribe", SUBSCRIBE, lost).unwrap();
    assert_eq!(run.requests().len(), 2);
    assert_eq!(
        run.error(),
        "500 Zoom could not be reached; nothing is known about the outcome."
    );
    assert_eq!(run.finished.unfinished, None);
}

#[test]
fn owner_password_never_appears() {
    let run = run("ma/account/create", CREATE, success).unwrap();
    let warnings = format!("{:?}", run.finished.answer.warnings);
    assert!(!warnings.contains("Secret-123"));
    assert!(!run.answer().to_string().contains("Secret-123"));
}
