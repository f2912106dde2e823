//! Parameters of create and update.

use super::*;

/// Parameter, sent value, pointer in v2's body, expected value.
const PLACES: &[[&str; 4]] = &[
    ["topic", "Winter", "/topic", r#""Winter""#],
    ["type", "6", "/type", "6"],
    [
        "start_time",
        "2020-09-15T09:05:00Z",
        "/start_time",
        r#""2020-09-15T09:05:00Z""#,
    ],
    ["duration", "61", "/duration", "61"],
    ["timezone", "asia/kolkata", "/timezone", r#""Asia/Kolkata""#],
    ["password", "a1", "/password", r#""a1""#],
    ["agenda", "News", "/agenda", r#""News""#],
    ["approval_type", "1", "/settings/approval_type", "1"],
    ["registration_type", "3", "/settings/registration_type", "3"],
    [
        "option_audio",
        "telephony",
        "/settings/audio",
        r#""telephony""#,
    ],
    ["option_host_video", "1", "/settings/host_video", "true"],
    [
        "option_panelist_video",
        "1",
        "/settings/panelists_video",
        "true",
    ],
    [
        "option_practice_session",
        "1",
        "/settings/practice_session",
        "true",
    ],
    [
        "option_enforce_login",
        "1",
        "/settings/meeting_authentication",
        "true",
    ],
    [
        "option_enforce_login_domains",
        "a; b",
        "/settings/authentication_domains",
        r#""a,b""#,
    ],
    [
        "option_alternative_hosts",
        "a,b",
        "/settings/alternative_hosts",
        r#""a;b""#,
    ],
    [
        "option_alternative_host_ids",
        "c, d",
        "/settings/alternative_hosts",
        r#""c;d""#,
    ],
    [
        "option_auto_record_type",
        "LOCAL",
        "/settings/auto_recording",
        r#""local""#,
    ],
    [
        "option_panelists_reminder",
        "1",
        "/settings/panelists_invitation_email_notification",
        "true",
    ],
    [
        "option_close_registration",
        "1",
        "/settings/close_registration",
        "true",
    ],
    [
        "option_show_share_button",
        "1",
        "/settings/show_share_button",
        "true",
    ],
    [
        "option_allow_multiple_devices",
        "1",
        "/settings/allow_multiple_devices",
        "true",
    ],
    [
        "language",
        "en-ES",
        "/settings/email_language",
        r#""es-ES""#,
    ],
    ["language", "zh", "/settings/email_language", r#""zh-CN""#],
    [
        "language",
        "de-DE",
        "/settings/email_language",
        r#""de-DE""#,
    ],
];

#[test]
fn maps_each_parameter_to_v2() {
    for [name, sent, place, wanted] in PLACES {
        let run = run("webinar/update", &with(OWN, &[(name, sent)]), success).unwrap();
        let body = run.requests()[1]
            .strip_prefix("PATCH /webinars/9876543210 ")
            .unwrap();
        let expected = match place.strip_prefix("/settings/") {
            Some(member) => format!(r#"{{"settings":{{"{member}":{wanted}}}}}"#),
            None => format!(r#"{{"{}":{wanted}}}"#, &place[1..]),
        };
        assert_eq!(body, expected, "{name}");
    }
}

#[test]
fn drops_or_rejects_unknown_values() {
    let requests = |arguments: &[(&str, &str)]| run("webinar/create", arguments, success);
    let create = [("host_id", "kdc1"), ("topic", "Autumn")];
    for (name, dropped) in [
        ("option_audio", "none"),
        ("option_auto_record_type", "true"),
        ("timezone", "GMT 5:30"),
        ("timezone", "EST"),
    ] {
        let run = requests(&with(&create, &[(name, dropped)])).unwrap();
        assert_eq!(run.warned(), [name]);
        assert_eq!(
            run.requests(),
            [r#"POST /users/kdc1/webinars {"topic":"Autumn"}"#]
        );
    }
    for (name, refused) in [
        ("type", "2"),
        ("approval_type", "true"),
        ("registration_type", "4"),
        ("start_time", "11/29/2016 3:05:00 PM"),
        ("password", "longer than ten"),
        ("option_host_video", "maybe"),
        ("recurrence", "{'type':1}"),
        ("recurrence", "[1]"),
        ("recurrence", r#"{"type":"often"}"#),
        ("panelists", "Alan"),
        ("panelists", "{}"),
    ] {
        let error = requests(&with(&create, &[(name, refused)])).err().unwrap();
        assert_eq!(error, format!("300 Invalid parameter: {name}"), "{refused}");
    }
}

#[test]
fn sends_start_times_in_utc() {
    for (given, sent) in [
        ("2016-11-20T12:00:00Z", "2016-11-20T12:00:00Z"),
        ("2018-05-09T10:00:00.123Z", "2018-05-09T10:00:00Z"),
        ("2016-1-5T9:5:0Z", "2016-01-05T09:05:00Z"),
        ("2016-11-20T12:00:00", "2016-11-20T12:00:00Z"),
        ("2016-11-20", "2016-11-20T00:00:00Z"),
    ] {
        let arguments = [("host_id", "kdc1"), ("topic", "x"), ("start_time", given)];
        let run = run("webinar/create", &arguments, success).unwrap();
        let wanted = format!(r#""start_time":"{sent}""#);
        assert!(
            run.requests()[0].contains(&wanted),
            "{given}: {:?}",
            run.requests()
        );
    }
}

#[test]
fn parses_recurrence_and_panelists_in_all_encodings() {
    let recurrence =
        r#""recurrence":{"type":2,"repeat_interval":1,"weekly_days":"2,4","end_times":7}"#;
    let panelists = r#"{"panelists":[{"name":"Alan","email":"alan@example.com"},{"name":"Grace","email":"grace@example.com"}]}"#;
    let create = [("host_id", "kdc1"), ("topic", "Autumn"), ("type", "9")];
    let wrappings: [&[(&str, &str)]; 3] = [
        &[
            (
                "recurrence",
                r#"{"type":2,"repeat_interval":1,"weekly_days":"2,4","end_times":7}"#,
            ),
            (
                "panelists",
                r#"[{"name":"Alan","email":"alan@example.com"},{"name":"Grace","email":"grace@example.com"}]"#,
            ),
        ],
        &[
            ("recurrence[type]", "2"),
            ("recurrence[repeat_interval]", "1"),
            ("recurrence[weekly_days]", "2,4"),
            ("recurrence[end_times]", "7"),
            ("panelists[0][name]", "Alan"),
            ("panelists[0][email]", "alan@example.com"),
            ("panelists[1][name]", "Grace"),
            ("panelists[1][email]", "grace@example.com"),
        ],
        &[
            (
                "recurrence",
                r#"{"type":"2","repeat_interval":"1","weekly_days":"2,4","end_times":"7"}"#,
            ),
            ("panelists[][name]", "Alan"),
            ("panelists[][email]", "alan@example.com"),
            ("panelists[][name]", "Grace"),
            ("panelists[][email]", "grace@example.com"),
        ],
    ];
    for wrapping in wrappings {
        let arguments: Vec<_> = create.iter().chain(wrapping).copied().collect();
        let run = run("webinar/create", &arguments, success).unwrap();
        assert!(
            run.requests()[0].contains(recurrence),
            "{:?}",
            run.requests()
        );
        assert!(
            run.requests()[1].ends_with(panelists),
            "{:?}",
            run.requests()
        );
    }
    let monthly = r#"{"type":3,"monthly_day":1,"monthly_week":-1,"monthly_week_day":7}"#;
    let run_of =
        |name, value| run("webinar/create", &with(&create, &[(name, value)]), success).unwrap();
    assert!(run_of("recurrence", monthly).requests()[0].contains(monthly));
    // An empty list of panelists adds none.
    assert_eq!(run_of("panelists", "[]").requests().len(), 1);
}

#[test]
fn truncates_topics_to_v2s_limit() {
    let topic = "ä".repeat(300);
    let arguments = [("host_id", "kdc1"), ("topic", topic.as_str())];
    let run = run("webinar/create", &arguments, success).unwrap();
    assert_eq!(run.warned(), ["topic"]);
    let wanted = format!(r#"{{"topic":"{}"}}"#, "ä".repeat(200));
    assert!(run.requests()[0].ends_with(&wanted));
}

#[test]
fn failed_panelists_error_names_the_created_webinar() {
    let v2 = |request: &V2Request| match &*request.template {
        "/webinars/{webinarId}/panelists" => error(400, 3000, "You have reached the limit."),
        _ => success(request),
    };
    let run = run("webinar/create", EVERYTHING, v2).unwrap();
    assert_eq!(
        run.error(),
        "3000 You have reached the limit. (webinar 9876543210 was created without its panelists; \
         the same request again adds them)"
    );
}

#[test]
fn empty_agenda_clears_on_update_unless_disabled() {
    let arguments = [OWN[0], OWN[1], ("agenda", "")];
    let run = run("webinar/update", &arguments, success).unwrap();
    assert!(run.requests()[1].ends_with(r#"{"agenda":""}"#));
    let keep = [("empty_text", toml::Value::from("keep"))];
    let run = choosing(&keep, "webinar/update", &arguments, success);
    assert!(is_read(&run), "{:?}", run.requests());
}
