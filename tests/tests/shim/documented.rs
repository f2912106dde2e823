//! Documented successes of v1: every field of the examples, with its JSON type, unless v2 lacks it.

use end_to_end::Stage;
use serde_json::Value;
use shim_sandbox::SandboxConfig;

/// A JSON type and its fields.
type Fields = (fn(&Value) -> bool, &'static str);

const PERSON: [Fields; 2] = [
    (
        Value::is_string,
        "id email first_name last_name created_at dept lastClientVersion lastLoginTime token zpk zak",
    ),
    (Value::is_i64, "type verified pmi status"),
];
const PICTURE: [Fields; 1] = [(Value::is_string, "pic_url")];
const TIMEZONE: [Fields; 1] = [(Value::is_string, "timezone")];
const VANITY_URL: [Fields; 1] = [(Value::is_string, "vanity_url")];
const ACCOUNT_ID: [Fields; 1] = [(Value::is_string, "account_id")];

/// User settings in all v1 responses since 2016.
const SETTINGS: [Fields; 2] = [
    (
        Value::is_boolean,
        "disable_chat enable_e2e_encryption enable_silent_mode disable_group_hd disable_recording \
         enable_cmr enable_auto_recording enable_cloud_auto_recording enable_webinar enable_large \
         disable_feedback disable_jbh_reminder enable_breakout_room",
    ),
    (
        Value::is_i64,
        "meeting_capacity webinar_capacity large_capacity",
    ),
];
const POLLING: [Fields; 1] = [(Value::is_boolean, "enable_polling enable_annotation")];
const RECORDING_VIEWS: [Fields; 1] = [(
    Value::is_boolean,
    "enable_record_speaker_view enable_record_gallery_view enable_record_audio_file",
)];
/// Additional fields of create responses since 2018.
const LATER_SETTINGS: [Fields; 2] = [
    (
        Value::is_boolean,
        "enable_share_dual_camera enable_far_end_camera_control disable_private_chat \
         enable_enter_exit_chime disable_cancel_meeting_notification enable_remote_support \
         enable_file_transfer enable_virtual_background enable_attention_tracking \
         enable_waiting_room enable_closed_caption enable_co_host enable_auto_saving_chats \
         enable_phone_participants_password enable_auto_delete_cmr",
    ),
    (Value::is_i64, "auto_delete_cmr_days"),
];
const PAGE: [Fields; 2] = [
    (
        Value::is_i64,
        "page_count page_number page_size total_records",
    ),
    (Value::is_array, "users"),
];

#[track_caller]
fn has(answer: &Value, sets: &[&[Fields]]) {
    for (is_type, names) in sets.iter().copied().flatten() {
        for name in names.split_whitespace() {
            let value = answer.get(name);
            assert!(value.is_some_and(is_type), "{name}: {value:?} in {answer}");
        }
    }
}

/// v1's times: UTC, whole seconds, `Z`.
#[track_caller]
fn is_time(value: &Value) {
    let text = value.as_str().unwrap();
    let shape: String = text
        .chars()
        .map(|char| if char.is_ascii_digit() { '0' } else { char })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z", "{text}");
}

async fn ask(stage: &Stage, operation: &str, parameters: &[(&str, &str)]) -> Value {
    stage.ask(operation, parameters).await.success()
}

const PASSWORD: (&str, &str) = ("password", "Analytical4Engine");

#[tokio::test]
async fn create_responses_have_documented_fields() {
    let stage = Stage::start().await;
    for operation in ["user/autocreate", "user/autocreate2", "user/custcreate"] {
        let email = format!("{}@example.com", operation.replace('/', "."));
        let mut given = vec![("email", email.as_str()), ("type", "2")];
        if operation != "user/custcreate" {
            given.push(PASSWORD);
        }
        let user = ask(&stage, operation, &given).await;
        has(
            &user,
            &[&PERSON, &PICTURE, &SETTINGS, &POLLING, &LATER_SETTINGS],
        );
        is_time(&user["created_at"]);
        assert_eq!(user["email"], email);
        assert_eq!((&user["token"], &user["zak"]), (&"".into(), &"".into()));
    }
}

#[tokio::test]
async fn create_of_pending_user_returns_v2_fields() {
    let stage = Stage::start().await;
    let given = [("email", "invited@example.com"), ("type", "1")];
    let user = ask(&stage, "user/create", &given).await;
    // v2 has no settings for pending users.
    has(&user, &[&PERSON, &PICTURE]);
    is_time(&user["created_at"]);
    assert_eq!(user["status"], 0);
}

#[tokio::test]
async fn ssocreate_shows_the_user() {
    let stage = Stage::start().await;
    let given = [("email", "sso@example.com"), ("type", "2")];
    let user = ask(&stage, "user/ssocreate", &given).await;
    has(
        &user,
        &[
            &PERSON,
            &PICTURE,
            &SETTINGS,
            &POLLING,
            &RECORDING_VIEWS,
            &VANITY_URL,
            &TIMEZONE,
        ],
    );
    assert_eq!(user["disable_private_chat"], false);
}

#[tokio::test]
async fn get_and_getbyemail_return_all_documented_fields() {
    let stage = Stage::start().await;
    let email = ("email", "ada.lovelace@example.com");
    let by_email = ask(&stage, "user/getbyemail", &[email, ("login_type", "100")]).await;
    let id = by_email["id"].as_str().unwrap();
    let by_id = ask(&stage, "user/get", &[("id", id)]).await;
    for user in [&by_id, &by_email] {
        has(
            user,
            &[
                &PERSON,
                &PICTURE,
                &SETTINGS,
                &POLLING,
                &RECORDING_VIEWS,
                &VANITY_URL,
                &TIMEZONE,
                &ACCOUNT_ID,
            ],
        );
        is_time(&user["created_at"]);
        is_time(&user["lastLoginTime"]);
        assert!(user["zak"].as_str().unwrap().len() > 20, "a ZAK");
        assert!(user["pmi"].as_i64().unwrap() > 999_999_999, "ten digits");
    }
    let same = |member: &str| by_id[member] == by_email[member];
    assert!(
        by_id
            .as_object()
            .unwrap()
            .keys()
            .all(|name| name == "zak" || same(name))
    );
}

#[tokio::test]
async fn get_shows_a_pending_and_an_inactive_user() {
    let stage = Stage::start().await;
    let pending = ask(&stage, "user/get", &[("id", "emmy.noether@example.com")]).await;
    has(&pending, &[&PERSON, &PICTURE, &TIMEZONE, &ACCOUNT_ID]);
    let email = ("email", "evariste.galois@example.com");
    let inactive = ask(&stage, "user/getbyemail", &[email]).await;
    has(&inactive, &[&PERSON, &PICTURE, &SETTINGS]);
    assert_eq!(
        (&pending["status"], &inactive["status"]),
        (&0.into(), &1.into())
    );
}

#[tokio::test]
async fn list_shows_users_with_settings() {
    let pictures = "[options]\nlist_pictures = true";
    let stage = Stage::with(SandboxConfig::default(), pictures).await;
    let page = ask(&stage, "user/list", &[]).await;
    has(&page, &[&PAGE]);
    let users = page["users"].as_array().unwrap();
    assert_eq!(users.len(), 30);
    for user in users {
        has(user, &[&PERSON, &PICTURE, &SETTINGS, &TIMEZONE]);
        is_time(&user["created_at"]);
    }
}

#[tokio::test]
async fn list_omits_pictures_by_default() {
    let stage = Stage::start().await;
    let answer = stage.ask("user/list", &[("page_size", "2")]).await;
    assert!(answer.warns_of("pic_url"));
    let page = answer.success();
    for user in page["users"].as_array().unwrap() {
        has(user, &[&PERSON, &SETTINGS, &TIMEZONE]);
        assert_eq!(user["pic_url"], "");
    }
}

#[tokio::test]
async fn pending_shows_invited_users() {
    let stage = Stage::start().await;
    let page = ask(&stage, "user/pending", &[]).await;
    has(&page, &[&PAGE]);
    let users = page["users"].as_array().unwrap();
    assert_eq!(users.len(), 2);
    for user in users {
        has(user, &[&PERSON, &PICTURE, &TIMEZONE]);
        assert_eq!(user["id"], user["email"], "v2 gives pending users no id");
    }
}

#[tokio::test]
async fn write_responses_have_id_and_time() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    let whom = ("id", id.as_str());
    let grace = ("assistant_email", "grace.hopper@example.com");
    let cases: [(&str, &[(&str, &str)], &str, &str); 10] = [
        ("user/update", &[whom, ("dept", "Logic")], "", "updated_at"),
        ("user/update", &[whom], "", "updated_at"),
        ("user/updatepassword", &[whom, PASSWORD], "", "updated_at"),
        ("user/revoketoken", &[whom], "email", "updated_at"),
        (
            "user/assistant/set",
            &[whom, grace],
            "host_email",
            "updated_at",
        ),
        ("user/assistant/delete", &[whom], "host_email", "updated_at"),
        ("user/deactivate", &[whom], "", "deactivated_at"),
        ("user/activate", &[whom], "", "activated_at"),
        (
            "user/delete",
            &[whom, ("type", "0")],
            "account_id",
            "deleted_at",
        ),
        (
            "user/permanentdelete",
            &[("id", "emmy.noether@example.com")],
            "email",
            "deleted_at",
        ),
    ];
    for (operation, given, also, when) in cases {
        let answer = ask(&stage, operation, given).await;
        let subject = given.iter().find(|(name, _)| *name == "id").unwrap().1;
        assert_eq!(answer["id"], subject, "{operation}");
        is_time(&answer[when]);
        assert!(also.is_empty() || answer[also].as_str().is_some_and(|text| !text.is_empty()));
        let members = answer.as_object().unwrap().len();
        assert_eq!(members, if also.is_empty() { 2 } else { 3 }, "{operation}");
    }
}

#[tokio::test]
async fn uploadpicture_response_has_id_and_time() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    let jpeg = ("pic_file", b"\xff\xd8\xff\xe0 and so on".as_slice());
    for operation in ["user/uploadpicture", "user/updatepassword"] {
        let answer = stage.ask_with_file(operation, &[("id", &id)], jpeg).await;
        let answer = answer.success();
        assert_eq!(answer["id"], id.as_str());
        is_time(&answer["updated_at"]);
    }
}

#[tokio::test]
async fn users_named_by_address_return_id_and_address() {
    let stage = Stage::start().await;
    let email = "george.boole@example.com";
    let id = stage.id_of(email).await;
    let grace = ("assistant_email", "grace.hopper@example.com");
    let cases: [(&str, &[(&str, &str)], &str); 4] = [
        ("user/revoketoken", &[("email", email)], "email"),
        (
            "user/assistant/set",
            &[("host_email", email), grace],
            "host_email",
        ),
        (
            "user/assistant/delete",
            &[("host_email", email)],
            "host_email",
        ),
        ("user/permanentdelete", &[("email", email)], "email"),
    ];
    for (operation, given, address) in cases {
        let answer = ask(&stage, operation, given).await;
        assert_eq!(answer["id"], id.as_str(), "{operation}");
        assert_eq!(answer[address], email, "{operation}");
    }
}

#[tokio::test]
async fn checkemail_and_schedulers() {
    let stage = Stage::start().await;
    let ada = "ada.lovelace@example.com";
    let check = ask(&stage, "user/checkemail", &[("email", ada)]).await;
    assert_eq!(check, serde_json::json!({ "existed_email": true }));
    let check = ask(&stage, "user/checkemail", &[("email", "x@example.com")]).await;
    assert_eq!(check, serde_json::json!({ "existed_email": false }));

    let list = ask(&stage, "user/scheduleforhost/list", &[("host_email", ada)]).await;
    assert_eq!(list["total_records"], 1);
    let [grace] = list["users"].as_array().unwrap().as_slice() else {
        panic!("{list}");
    };
    has(
        grace,
        &[&[(Value::is_string, "id email first_name last_name")]],
    );
    assert_eq!(grace["email"], "grace.hopper@example.com");
}

#[tokio::test]
async fn the_other_direction_of_schedulers_can_be_chosen() {
    let schedulers = "[options]\nscheduleforhost = \"schedulers\"";
    let stage = Stage::with(SandboxConfig::default(), schedulers).await;
    let grace = ("host_email", "grace.hopper@example.com");
    let list = ask(&stage, "user/scheduleforhost/list", &[grace]).await;
    assert_eq!(list["users"][0]["email"], "ada.lovelace@example.com");
    assert_eq!(list["users"][0]["first_name"], "Ada");
}
