//! A read response sent back unchanged with an update changes nothing in v2, because programs send
//! whole forms back.

use end_to_end::Stage;
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::requests::success;

/// User settings, by v2 type.
const SWITCHES: [&str; 28] = [
    "in_meeting.chat",
    "in_meeting.private_chat",
    "in_meeting.e2e_encryption",
    "in_meeting.attendee_on_hold",
    "in_meeting.group_hd",
    "in_meeting.feedback",
    "in_meeting.breakout_room",
    "in_meeting.polling",
    "in_meeting.annotation",
    "in_meeting.share_dual_camera",
    "in_meeting.far_end_camera_control",
    "in_meeting.remote_support",
    "in_meeting.file_transfer",
    "in_meeting.virtual_background",
    "in_meeting.waiting_room",
    "in_meeting.closed_caption",
    "in_meeting.co_host",
    "in_meeting.auto_saving_chat",
    "recording.local_recording",
    "recording.cloud_recording",
    "recording.record_speaker_view",
    "recording.record_gallery_view",
    "recording.record_audio_file",
    "recording.auto_delete_cmr",
    "email_notification.jbh_reminder",
    "email_notification.cancel_meeting_reminder",
    "schedule_meeting.pstn_password_protected",
    "schedule_meeting.host_video",
];

/// A user of each kind.
const USERS: [&str; 8] = [
    "ada.lovelace@example.com",
    "alan.turing@example.com",
    "hedy.lamarr@example.com",
    "john.vonneumann@example.com",
    "katherine.johnson@example.com",
    "evariste.galois@example.com",
    "konrad.zuse@managed.example.com",
    "owner@example.com",
];
const PENDING: &str = "emmy.noether@example.com";
const LICENSED: i64 = 2;

prop_compose! {
    /// Settings that v2 accepts for a user of this type.
    fn settings(is_licensed: bool)(
        switches in prop::collection::vec(any::<bool>(), SWITCHES.len()),
        recording in prop::sample::select(vec!["none", "local", "cloud"]),
        chime in prop::sample::select(vec!["none", "all", "host"]),
        days in prop::sample::select(vec![30, 60, 90, 120]),
        capacity in prop::sample::select(vec![100, 300, 500, 1000]),
        webinar in prop::sample::select(vec![0, 100, 500, 501, 1000, 1001, 3000, 5000, 10_000]),
        large in prop::sample::select(vec![0, 500, 1000, 3000, 5000]),
    ) -> Value {
        let mut settings = json!({});
        let mut set = |place: &str, value: Value| {
            let (section, name) = place.split_once('.').unwrap();
            settings[section][name] = value;
        };
        for (place, on) in SWITCHES.iter().zip(switches) {
            set(place, on.into());
        }
        set("recording.auto_recording", recording.into());
        set("recording.auto_delete_cmr_days", days.into());
        set("in_meeting.entry_exit_chime", chime.into());
        set("feature.meeting_capacity", capacity.into());
        if is_licensed {
            for (feature, capacity) in [("webinar", webinar), ("large_meeting", large)] {
                set(&format!("feature.{feature}"), (capacity > 0).into());
                if capacity > 0 {
                    set(&format!("feature.{feature}_capacity"), capacity.into());
                }
            }
        }
        settings
    }
}

/// Members of a response, as a program sends them back.
fn form(shown: &Value) -> Vec<(String, String)> {
    let members = shown.as_object().unwrap().iter();
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    members
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect()
}

async fn write_back(stage: &Stage, operation: &str, shown: &Value) {
    let form = form(shown);
    let given: Vec<_> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = stage.ask(operation, &given).await;
    assert!(
        answer.body.get("error").is_none(),
        "{answer:?} after {shown:#}"
    );
}

async fn unchanged_by_user_update(stage: &Stage, user: &str) {
    let in_v2 = async || {
        (
            stage.v2_user(user).await,
            stage.v2(&format!("/users/{user}/settings")).await,
        )
    };
    let before = in_v2().await;
    let shown = stage.user(user).await;
    write_back(stage, "user/update", &shown).await;
    assert_eq!(in_v2().await, before, "after {shown:#}");
    // A second time, because the first one must not leave traces.
    write_back(stage, "user/update", &shown).await;
    assert_eq!(in_v2().await, before);
}

#[tokio::test]
async fn a_user_of_any_kind_with_any_settings_survives_its_own_form() {
    let stage = Stage::start().await;
    let mut runner = TestRunner::deterministic();
    for user in USERS {
        let kind = stage.v2_user(user).await["type"].as_i64();
        for _ in 0..4 {
            let settings = settings(kind == Some(LICENSED));
            let settings = settings.new_tree(&mut runner).unwrap().current();
            let path = format!("/users/{user}/settings");
            stage.change_v2(&path, &settings).await;
            unchanged_by_user_update(&stage, user).await;
        }
    }
    unchanged_by_user_update(&stage, PENDING).await;
}

/// A host of meetings, and a host with a webinar plan.
const ADA: &str = "ada.lovelace@example.com";
const MARY: &str = "mary.jackson@example.com";

/// Fields that v2 changes by itself.
fn without_stamps(mut object: Value) -> Value {
    for stamp in ["start_url", "updated_at"] {
        object.as_object_mut().unwrap().remove(stamp);
    }
    object
}

async fn unchanged_by_update(stage: &Stage, area: &str, given: &str) {
    let host = if area == "meeting" { ADA } else { MARY };
    let made = success(stage, &format!("{area}/create host_id={host} {given}")).await;
    let id = &made["id"];
    let path = format!("/{area}s/{id}");
    let before = without_stamps(stage.v2(&path).await);
    let get = format!("{area}/get id={id} host_id={host}");
    let shown = success(stage, &get).await;
    write_back(stage, &format!("{area}/update"), &shown).await;
    assert_eq!(without_stamps(stage.v2(&path).await), before, "{given}");
}

#[tokio::test]
async fn a_meeting_of_any_kind_survives_its_own_form() {
    let stage = Stage::start().await;
    let mut runner = TestRunner::new(Config::default());
    let switch = || prop::sample::select(vec!["true", "false"]);
    let options = (switch(), switch(), switch(), switch());
    let kinds = [
        "type=1 topic=Now",
        "type=2 topic=Note~G start_time=2031-05-01T09:30:00Z duration=45 timezone=Europe/Berlin",
        "type=3 topic=Any~time",
        "type=2 topic=Ünique+€ start_time=2031-05-01T09:30:00Z duration=45 password=e2718",
        r#"type=8 topic=S start_time=2031-05-01T09:30:00Z duration=30 recurrence={"type":1,"repeat_interval":1,"end_times":3}"#,
    ];
    for kind in kinds {
        for audio in ["both", "telephony", "voip"] {
            let (jbh, host, participants, login) = options.new_tree(&mut runner).unwrap().current();
            let given = format!(
                "{kind} option_audio={audio} option_jbh={jbh} option_host_video={host} \
                 option_participants_video={participants} option_enforce_login={login}"
            );
            unchanged_by_update(&stage, "meeting", &given).await;
        }
    }
}

#[tokio::test]
async fn a_webinar_of_any_kind_survives_its_own_form() {
    let stage = Stage::start().await;
    for kind in [
        "type=5 topic=Engines start_time=2031-05-01T09:30:00Z duration=45 agenda=All~of~them",
        "type=5 topic=Open start_time=2031-05-01T09:30:00Z duration=45 approval_type=2",
        "type=5 topic=Asked start_time=2031-05-01T09:30:00Z duration=45 approval_type=1",
        "type=6 topic=Any~time",
    ] {
        for options in [
            "option_host_video=true option_panelist_video=false option_practice_session=true",
            "option_host_video=false option_panelist_video=true option_audio=voip",
        ] {
            unchanged_by_update(&stage, "webinar", &format!("{kind} {options}")).await;
        }
    }
}
