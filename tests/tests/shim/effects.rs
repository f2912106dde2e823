//! Effects of writes, checked with a following read.

use end_to_end::Stage;
use serde_json::{Value, json};

async fn ask(stage: &Stage, operation: &str, parameters: &[(&str, &str)]) -> Value {
    stage.ask(operation, parameters).await.success()
}

/// Switches and numbers of the creates and the update, none at v2's default, and their values in
/// responses.
const SETTINGS: [(&str, &str); 33] = [
    ("disable_chat", "true"),
    ("enable_e2e_encryption", "true"),
    ("enable_silent_mode", "true"),
    ("disable_group_hd", "true"),
    ("disable_recording", "true"),
    ("enable_cmr", "false"),
    ("enable_auto_recording", "true"),
    ("enable_cloud_auto_recording", "true"),
    ("meeting_capacity", "500"),
    ("enable_webinar", "true"),
    ("webinar_capacity", "1000"),
    ("enable_large", "true"),
    ("large_capacity", "500"),
    ("disable_feedback", "true"),
    ("disable_jbh_reminder", "true"),
    ("enable_breakout_room", "false"),
    ("enable_polling", "false"),
    ("enable_annotation", "false"),
    ("enable_share_dual_camera", "true"),
    ("enable_far_end_camera_control", "true"),
    ("disable_private_chat", "true"),
    ("enable_enter_exit_chime", "true"),
    ("disable_cancel_meeting_notification", "true"),
    ("enable_remote_support", "true"),
    ("enable_file_transfer", "false"),
    ("enable_virtual_background", "false"),
    ("enable_waiting_room", "false"),
    ("enable_closed_caption", "false"),
    ("enable_co_host", "false"),
    ("enable_auto_saving_chats", "true"),
    ("enable_phone_participants_password", "false"),
    ("enable_auto_delete_cmr", "true"),
    ("auto_delete_cmr_days", "60"),
];

#[track_caller]
fn shows(user: &Value, expected: &[(&str, &str)]) {
    for (name, text) in expected {
        let wanted: Value = serde_json::from_str(text).unwrap();
        assert_eq!(user[name], wanted, "{name}");
    }
}

#[tokio::test]
async fn create_stores_all_parameters() {
    let stage = Stage::start().await;
    let creates = ["user/autocreate", "user/autocreate2", "user/custcreate"];
    for operation in creates {
        let email = format!("{}@example.com", operation.replace('/', "."));
        let profile = [
            ("email", email.as_str()),
            ("type", "2"),
            ("password", "Analytical4Engine"),
            ("first_name", "Zoë"),
            ("last_name", "d'Été & Söhne"),
            ("dept", "R&D/±"),
        ];
        let given = [profile.as_slice(), &SETTINGS].concat();
        let made = ask(&stage, operation, &given).await;
        shows(&made, &SETTINGS);
        let user = stage.user(made["id"].as_str().unwrap()).await;
        shows(&user, &SETTINGS);
        assert_eq!(user["email"], email);
        assert_eq!(
            (&user["first_name"], &user["last_name"]),
            (&json!("Zoë"), &json!("d'Été & Söhne"))
        );
        assert_eq!(
            (&user["type"], &user["dept"]),
            (&json!(2), &json!("R&D/±")),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn an_invited_user_is_pending_until_deleted() {
    let stage = Stage::start().await;
    let given = [
        ("email", "invited@example.com"),
        ("type", "1"),
        ("first_name", "Ida"),
    ];
    ask(&stage, "user/create", &given).await;
    let pending = ask(&stage, "user/pending", &[]).await;
    let invited = &pending["users"].as_array().unwrap()[2];
    assert_eq!(
        (&invited["email"], &invited["first_name"]),
        (&given[0].1.into(), &"Ida".into())
    );
    let id = invited["id"].as_str().unwrap();
    ask(&stage, "user/delete", &[("id", id), ("type", "1")]).await;
    assert_eq!(ask(&stage, "user/pending", &[]).await["total_records"], 2);
}

#[tokio::test]
async fn an_sso_user_has_its_pmi_and_licences() {
    let stage = Stage::start().await;
    let given = [
        ("email", "sso@example.com"),
        ("type", "2"),
        ("pmi", "4085551234"),
        ("enable_webinar", "1"),
        ("webinar_capacity", "500"),
    ];
    ask(&stage, "user/ssocreate", &given).await;
    let by_sso = [("email", "sso@example.com"), ("login_type", "101")];
    let user = ask(&stage, "user/getbyemail", &by_sso).await;
    shows(
        &user,
        &[
            ("pmi", "4085551234"),
            ("enable_webinar", "true"),
            ("webinar_capacity", "500"),
        ],
    );
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_leaves_the_rest() {
    let stage = Stage::start().await;
    let id = stage.id_of("mary.jackson@example.com").await;
    let mut before = stage.user(&id).await;
    let profile = [
        ("first_name", "Mary W."),
        ("dept", "Aerodynamics"),
        ("timezone", "America/New_York"),
        ("pmi", "4085559876"),
        ("vanity_name", "mary.w"),
        ("host_key", "123456"),
        ("enable_use_pmi", "true"),
    ];
    ask(
        &stage,
        "user/update",
        &[[("id", id.as_str())].as_slice(), &profile].concat(),
    )
    .await;
    let mut after = stage.user(&id).await;
    assert_eq!(after["first_name"], "Mary W.");
    assert_eq!(after["timezone"], "America/New_York");
    assert_eq!(after["pmi"], 4_085_559_876_u64);
    assert!(after["vanity_url"].as_str().unwrap().ends_with("/mary.w"));

    for user in [&mut before, &mut after] {
        let members = user.as_object_mut().unwrap();
        for changed in ["first_name", "dept", "timezone", "pmi", "vanity_url", "zak"] {
            members.remove(changed);
        }
    }
    assert_eq!(before, after);
}

#[tokio::test]
async fn each_setting_changes_alone() {
    let stage = Stage::start().await;
    let id = stage.id_of("mary.jackson@example.com").await;
    // Without flags that share one place in v2, and capacities that depend on a feature.
    let entangled = [
        "enable_auto_recording",
        "enable_cloud_auto_recording",
        "webinar_capacity",
        "large_capacity",
        "enable_webinar",
        "enable_large",
    ];
    let alone = SETTINGS
        .iter()
        .filter(|(name, _)| !entangled.contains(name));
    for (name, text) in alone {
        let before = stage.user(&id).await;
        ask(&stage, "user/update", &[("id", &id), (name, text)]).await;
        let after = stage.user(&id).await;
        let changed: Vec<_> = after
            .as_object()
            .unwrap()
            .iter()
            .filter(|(member, value)| *member != "zak" && before[*member] != **value)
            .map(|(member, _)| member.as_str())
            .collect();
        assert_eq!(changed, [*name]);
        shows(&after, &[(name, text)]);
    }
}

#[tokio::test]
async fn two_flags_of_one_setting() {
    let stage = Stage::start().await;
    let id = stage.id_of("mary.jackson@example.com").await;
    let steps: [(&[(&str, &str)], [bool; 2]); 6] = [
        (&[("enable_auto_recording", "true")], [true, false]),
        (&[("enable_cloud_auto_recording", "true")], [true, true]),
        (&[("enable_cloud_auto_recording", "false")], [true, false]),
        (&[("enable_auto_recording", "false")], [false, false]),
        (&[("enable_cloud_auto_recording", "true")], [true, true]),
        (
            &[
                ("enable_auto_recording", "false"),
                ("enable_cloud_auto_recording", "false"),
            ],
            [false, false],
        ),
    ];
    for (given, [auto, cloud]) in steps {
        ask(
            &stage,
            "user/update",
            &[[("id", id.as_str())].as_slice(), given].concat(),
        )
        .await;
        let user = stage.user(&id).await;
        let shown = (
            &user["enable_auto_recording"],
            &user["enable_cloud_auto_recording"],
        );
        assert_eq!(shown, (&auto.into(), &cloud.into()), "{given:?}");
    }
}

#[tokio::test]
async fn deactivated_and_activated_again() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    let is_listed = async || {
        let page = ask(&stage, "user/list", &[("page_size", "300")]).await;
        let users = page["users"].as_array().unwrap();
        users.iter().any(|user| user["id"] == id.as_str())
    };
    assert!(is_listed().await);
    ask(&stage, "user/deactivate", &[("id", &id)]).await;
    assert_eq!(stage.user(&id).await["status"], 1);
    assert!(!is_listed().await);
    ask(&stage, "user/activate", &[("id", &id)]).await;
    assert_eq!(stage.user(&id).await["status"], 0);
    assert!(is_listed().await);
}

#[tokio::test]
async fn deleted_user_is_unknown() {
    let stage = Stage::start().await;
    let cases = [
        ("user/delete", "george.boole@example.com"),
        ("user/permanentdelete", "mary.jackson@example.com"),
        // v2 cannot delete pending users this way; v1 made no difference.
        ("user/permanentdelete", "emmy.noether@example.com"),
    ];
    for (operation, email) in cases {
        ask(&stage, operation, &[("id", email)]).await;
        let error = stage.ask("user/get", &[("id", email)]).await.error();
        assert_eq!(
            error,
            format!("1001 User not exist: {email}"),
            "{operation}"
        );
        let error = stage.ask(operation, &[("id", email)]).await.error();
        assert_eq!(
            error,
            format!("1001 User not exist: {email}"),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn delete_unlinks_a_user_of_the_account() {
    for kind in ["", "0"] {
        let stage = Stage::start().await;
        let given = [("id", "george.boole@example.com"), ("type", kind)];
        ask(&stage, "user/delete", &given).await;
        let lines = stage.wire().lines();
        assert!(
            lines.iter().all(|line| !line.contains("action=delete")),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn an_invitation_that_was_accepted_is_not_deleted_as_one() {
    let stage = Stage::start().await;
    let given = [("id", "grace.hopper@example.com"), ("type", "1")];
    let error = stage.ask("user/delete", &given).await.error();
    assert_eq!(error, "1120 Invite not exist");
    let lines = stage.wire().lines();
    assert!(
        lines.iter().all(|line| line.starts_with("GET ")),
        "{lines:?}"
    );
    assert_eq!(stage.user("grace.hopper@example.com").await["status"], 0);
}

/// The most common sequence in v1 clients.
#[tokio::test]
async fn a_user_of_custcreate_is_deleted_with_a_warning() {
    let stage = Stage::start().await;
    let new = [("email", "new@example.com"), ("type", "1")];
    let made = ask(&stage, "user/custcreate", &new).await;
    let id = made["id"].as_str().unwrap();
    let answer = stage.ask("user/delete", &[("id", id)]).await;
    assert!(answer.warns_of("deleted_at"), "{answer:?}");
    assert_eq!(answer.success()["id"], id);
    let gone = stage.ask("user/get", &[("id", id)]).await.error();
    assert!(gone.starts_with("1001 "), "{gone}");
    // The address can be used again.
    ask(&stage, "user/custcreate", &new).await;
}

#[tokio::test]
async fn delete_response_has_the_deleted_user() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    let ada = "ada.lovelace@example.com";
    let given = [("id", id.as_str()), ("email", ada)];
    for operation in ["user/revoketoken", "user/permanentdelete"] {
        let told = ask(&stage, operation, &given).await;
        assert_eq!(told["email"], "george.boole@example.com", "{operation}");
        assert_eq!(told["id"], id.as_str(), "{operation}");
    }
    assert_eq!(stage.user(ada).await["email"], ada);
    let capitals = [("email", "MARY.JACKSON@EXAMPLE.COM")];
    let told = ask(&stage, "user/permanentdelete", &capitals).await;
    assert_eq!(told["email"], "mary.jackson@example.com");
    let pending = [("email", "emmy.noether@example.com")];
    let told = ask(&stage, "user/permanentdelete", &pending).await;
    assert_eq!(told["id"], "emmy.noether@example.com");
}

#[tokio::test]
async fn a_program_may_create_its_user_at_every_start() {
    let settings = "[options]\ncustcreate_existing = \"answer\"";
    let stage = Stage::with(shim_sandbox::SandboxConfig::default(), settings).await;
    let first = [("email", "fixed@example.com"), ("type", "2"), ("dept", "A")];
    let again = [("email", "fixed@example.com"), ("type", "1"), ("dept", "B")];
    let made = ask(&stage, "user/custcreate", &first).await;
    stage.wire().take();
    let found = ask(&stage, "user/custcreate", &again).await;
    assert_eq!(
        (&found["id"], &found["dept"], &found["type"]),
        (&made["id"], &json!("A"), &json!(2))
    );
    let lines = stage.wire().lines();
    let writes = lines.iter().filter(|line| !line.starts_with("GET"));
    assert_eq!(writes.count(), 1, "{lines:?}");
    let other = [("email", "ada.lovelace@example.com"), ("type", "2")];
    let error = stage.ask("user/custcreate", &other).await.error();
    assert!(error.starts_with("1005 "), "{error}");
}

/// Programs send the whole form back.
#[tokio::test]
async fn a_type_that_v1_did_not_know_survives_an_update_of_the_whole_form() {
    let stage = Stage::start().await;
    let hedy = "hedy.lamarr@example.com";
    assert_eq!(stage.v2_user(hedy).await["type"], 4);
    assert_eq!(stage.user(hedy).await["type"], 1);
    let form = [("id", hedy), ("type", "1"), ("dept", "R&D")];
    let answer = stage.ask("user/update", &form).await;
    assert!(answer.warns_of("type"), "{answer:?}");
    answer.success();
    let after = stage.v2_user(hedy).await;
    assert_eq!((&after["type"], &after["dept"]), (&json!(4), &json!("R&D")));
}

#[tokio::test]
async fn a_password_is_set_once() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    let given = [("id", id.as_str()), ("password", "Difference5Engine")];
    ask(&stage, "user/updatepassword", &given).await;
    let again = stage.ask("user/updatepassword", &given).await.error();
    assert!(
        again.starts_with("300 ") && again.contains("old password"),
        "{again}"
    );
}

#[tokio::test]
async fn a_picture_is_shown() {
    let stage = Stage::start().await;
    let png = ("pic_file", b"\x89PNG\r\n\x1a\n and so on".as_slice());
    for (operation, email) in [
        ("user/uploadpicture", "george.boole@example.com"),
        ("user/updatepassword", "mary.jackson@example.com"),
    ] {
        let id = stage.id_of(email).await;
        assert_eq!(stage.user(&id).await["pic_url"], "");
        stage
            .ask_with_file(operation, &[("id", &id)], png)
            .await
            .success();
        assert_ne!(stage.user(&id).await["pic_url"], "", "{operation}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_replaced() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    stage.wire().take();
    ask(&stage, "user/revoketoken", &[("id", &id)]).await;
    assert!(
        stage
            .wire()
            .lines()
            .contains(&format!("DELETE /v2/users/{id}/token"))
    );
}

#[tokio::test]
async fn assistants_are_set_listed_and_deleted() {
    let stage = Stage::start().await;
    let host = stage.id_of("george.boole@example.com").await;
    let emails = async || {
        let list = ask(&stage, "user/scheduleforhost/list", &[("id", &host)]).await;
        let users = list["users"].as_array().unwrap();
        assert_eq!(list["total_records"], users.len());
        users
            .iter()
            .map(|user| user["email"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(emails().await.is_empty());
    let (ada, grace) = ("ada.lovelace@example.com", "grace.hopper@example.com");
    for email in [ada, grace, ada] {
        ask(
            &stage,
            "user/assistant/set",
            &[("id", &host), ("assistant_email", email)],
        )
        .await;
    }
    assert_eq!(emails().await, [ada, grace]);
    let one = [("id", host.as_str()), ("assistant_email", ada)];
    ask(&stage, "user/assistant/delete", &one).await;
    assert_eq!(emails().await, [grace]);
    ask(&stage, "user/assistant/set", &one).await;
    ask(&stage, "user/assistant/delete", &[("id", &host)]).await;
    assert!(emails().await.is_empty());
}

#[tokio::test]
async fn a_user_joins_groups() {
    let stage = Stage::start().await;
    // Only the ids of Ada's groups can be read from v2.
    let v2 = stage.v2_user("ada.lovelace@example.com").await;
    let (group, im_group) = (&v2["group_ids"][0], &v2["im_group_ids"][0]);
    let (group, im_group) = (group.as_str().unwrap(), im_group.as_str().unwrap());
    let joining = [("group_id", group), ("imgroup_id", im_group)];

    let created = [("email", "new@example.com"), ("type", "2")];
    ask(&stage, "user/custcreate", &[created, joining].concat()).await;
    let id = stage.id_of("george.boole@example.com").await;
    ask(
        &stage,
        "user/update",
        &[[("id", id.as_str())].as_slice(), &joining].concat(),
    )
    .await;
    for email in ["new@example.com", "george.boole@example.com"] {
        let user = stage.v2_user(email).await;
        assert_eq!(user["group_ids"], json!([group]), "{email}");
        assert_eq!(user["im_group_ids"], json!([im_group]), "{email}");
    }

    let pending = [("id", "emmy.noether@example.com"), ("group_id", group)];
    ask(&stage, "user/update", &pending).await;
    let user = stage.v2_user("emmy.noether@example.com").await;
    assert_eq!(user["group_ids"], json!([group]));
}
