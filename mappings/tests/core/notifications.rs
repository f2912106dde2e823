//! Conversion of v2 webhooks to v1 push notifications, byte by byte.

use std::sync::Arc;

use mappings::{
    Catalog, Links, Site,
    notification::{Event, EventError},
};
use serde_json::{Value, json};

use crate::driver::{NOW, catalog, site, site_with_option};

/// A webhook about the example meeting; `object` is merged into it.
#[expect(clippy::needless_pass_by_value, reason = "the callers write literals")]
pub(crate) fn webhook(event: &str, object: Value) -> Value {
    let mut body = json!({
        "event": event,
        "payload": {
            "account_id": "aC7kPq2XT1eWm9dF0sLbNg",
            "object": {
                "duration": 60, "start_time": "2026-01-15T10:00:00Z", "timezone": "Europe/Berlin",
                "topic": "Weekly", "id": "98765432101", "type": 2,
                "uuid": "/ab+Cd12EfGh3456IjKl7w==", "host_id": "hQ3vT8sLRWi2mZ0pYxAbCd",
            },
        },
        "event_ts": 1_700_000_000_123_i64,
    });
    let known = body
        .pointer_mut("/payload/object")
        .and_then(Value::as_object_mut)
        .unwrap();
    known.extend(object.as_object().unwrap().clone());
    body
}

fn recording() -> Value {
    let file = |kind: &str, number: u8| {
        json!({
            "id": format!("0c9f0d3e-5a51-4c8e-9a1b-2f6d7e8a9b1{number}"),
            "meeting_id": "/ab+Cd12EfGh3456IjKl7w==",
            "recording_start": "2026-01-15T10:00:02.000Z", "recording_end": "2026-01-15T11:00:01Z",
            "file_type": kind, "file_size": 282_825, "file_extension": kind,
            "play_url": "https://example.com/play", "status": "completed",
            "download_url": format!("https://example.com/recording/{number}"),
            "recording_type": "shared_screen_with_speaker_view",
        })
    };
    let mut body = webhook(
        "recording.completed",
        json!({
            "id": 98_765_432_101_i64, "account_id": "aC7kPq2XT1eWm9dF0sLbNg",
            "host_email": "host@example.com", "total_size": 3_328_371, "recording_count": 1,
            "recording_files": [file("MP4", 0)], "password": "example",
            "share_url": "https://example.com/share",
            "participant_audio_files": [{ "id": "x", "file_type": "M4A" }],
        }),
    );
    body["download_token"] = json!("t0ken");
    body
}

fn forms(body: &Value, site: &Site) -> Vec<String> {
    let event = Event::read(catalog(), body.to_string().as_bytes()).unwrap();
    event
        .pushes(site, NOW)
        .iter()
        .map(mappings::notification::Push::form)
        .collect()
}

fn repeat(body: &Value) -> String {
    let event = Event::read(catalog(), body.to_string().as_bytes()).unwrap();
    event.pushes(&site(catalog()), NOW).remove(0).repeat
}

/// The documented example of the status form.
fn status(word: &str) -> String {
    format!(
        "id=98765432101&uuid=%2Fab%2BCd12EfGh3456IjKl7w%3D%3D&status={word}\
         &host_id=hQ3vT8sLRWi2mZ0pYxAbCd"
    )
}

#[test]
fn status_notifications_match_v1_bytes() {
    for (event, word) in [
        ("meeting.started", "STARTED"),
        ("meeting.ended", "ENDED"),
        ("meeting.participant_jbh_joined", "JBH"),
        ("meeting.participant_jbh_waiting", "JOIN"),
    ] {
        for id in [json!("98765432101"), json!(98_765_432_101_i64)] {
            let body = webhook(event, json!({ "id": id }));
            assert_eq!(forms(&body, &site(catalog())), [status(word)]);
            let event = Event::read(catalog(), body.to_string().as_bytes()).unwrap();
            let json = json!({
                "id": "98765432101", "uuid": "/ab+Cd12EfGh3456IjKl7w==", "status": word,
                "host_id": "hQ3vT8sLRWi2mZ0pYxAbCd",
            });
            assert_eq!(
                event.pushes(&site(catalog()), NOW)[0].json(),
                json.to_string()
            );
        }
    }
}

#[test]
fn recording_notification_matches_v1_bytes() {
    let mut body = recording();
    // The documented example has v2's own path.
    body["payload"]["object"]["recording_files"][0]["file_path"] =
        json!("https://example.com/recording/1");
    let content = "%7B%22uuid%22%3A%22%2Fab%2BCd12EfGh3456IjKl7w%3D%3D%22%2C%22meeting_number%22%3A98765432101%2C%22account_id%22%3A%22aC7kPq2XT1eWm9dF0sLbNg%22%2C%22host_id%22%3A%22hQ3vT8sLRWi2mZ0pYxAbCd%22%2C%22topic%22%3A%22Weekly%22%2C%22start_time%22%3A%222026-01-15T10%3A00%3A00Z%22%2C%22timezone%22%3A%22Europe%2FBerlin%22%2C%22host_email%22%3A%22host%40example.com%22%2C%22duration%22%3A60%2C%22total_size%22%3A3328371%2C%22recording_count%22%3A1%2C%22recording_files%22%3A%5B%7B%22id%22%3A%220c9f0d3e-5a51-4c8e-9a1b-2f6d7e8a9b10%22%2C%22meeting_id%22%3A%22%2Fab%2BCd12EfGh3456IjKl7w%3D%3D%22%2C%22recording_start%22%3A%222026-01-15T10%3A00%3A02Z%22%2C%22recording_end%22%3A%222026-01-15T11%3A00%3A01Z%22%2C%22file_type%22%3A%22MP4%22%2C%22file_size%22%3A282825%2C%22file_path%22%3A%22https%3A%2F%2Fexample.com%2Frecording%2F1%22%2C%22status%22%3A%22completed%22%7D%5D%7D";
    let form = format!("type=RECORDING_MEETING_COMPLETED&content={content}");
    assert_eq!(forms(&body, &site(catalog())), std::slice::from_ref(&form));
    let documented = status("RECORDING_MEETING_COMPLETED");
    assert_eq!(
        forms(&body, &site_with_option("recording_form", "status")),
        std::slice::from_ref(&documented)
    );
    assert_eq!(
        forms(&body, &site_with_option("recording_form", "both")),
        [form, documented]
    );
}

#[test]
fn json_body_has_content_as_an_object() {
    let body = recording().to_string();
    let event = Event::read(catalog(), body.as_bytes()).unwrap();
    let push = event.pushes(&site(catalog()), NOW).remove(0);
    let json: Value = serde_json::from_str(&push.json()).unwrap();
    let names: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(names, ["type", "content"]);
    assert_eq!(json["content"]["meeting_number"], 98_765_432_101_i64);
    assert_eq!(
        json["content"]["recording_files"].as_array().unwrap().len(),
        1
    );
    assert!(!push.json().contains("play"), "{}", push.json());
}

/// Creates links of the site.
#[derive(Debug)]
struct Own;

impl Links for Own {
    fn link(&self, url: &str, _: i64) -> Option<String> {
        Some(format!("own:{url}"))
    }
}

#[test]
fn option_controls_file_path() {
    let path = |site: &Site| {
        let body = recording().to_string();
        let push = Event::read(catalog(), body.as_bytes())
            .unwrap()
            .pushes(site, NOW)
            .remove(0);
        let json: Value = serde_json::from_str(&push.json()).unwrap();
        json["content"]["recording_files"][0]["file_path"].clone()
    };
    let link = "https://example.com/recording/0";
    assert_eq!(path(&site(catalog())), format!("{link}?access_token=t0ken"));
    assert_eq!(
        path(&site_with_option("recording_downloads", "plain")),
        link
    );
    let relayed = site_with_option("recording_downloads", "relay");
    // Without site links, the token is still not disclosed.
    assert_eq!(path(&relayed), link);
    let links: Arc<dyn Links> = Arc::new(Own);
    let relayed = Site {
        links: Some(links),
        ..relayed
    };
    assert_eq!(path(&relayed), format!("own:{link}"));
}

#[test]
fn orders_video_before_audio() {
    let mut body = recording();
    let kinds = ["CHAT", "M4A", "TIMELINE", "MP4", "TRANSCRIPT"];
    let files = kinds.map(|kind| json!({ "id": kind, "file_type": kind, "file_size": 1 }));
    body["payload"]["object"]["recording_files"] = json!(files);
    let event = Event::read(catalog(), body.to_string().as_bytes()).unwrap();
    let push = event.pushes(&site(catalog()), NOW).remove(0);
    let json: Value = serde_json::from_str(&push.json()).unwrap();
    let files = json["content"]["recording_files"].as_array().unwrap();
    let order: Vec<_> = files
        .iter()
        .map(|file| file["file_type"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["MP4", "M4A", "CHAT", "TIMELINE", "TRANSCRIPT"]);
}

#[test]
fn absent_members_are_left_out_or_utc() {
    let mut body = recording();
    let object = body["payload"]["object"].as_object_mut().unwrap();
    object.insert("timezone".to_owned(), json!(""));
    object.insert("start_time".to_owned(), json!(""));
    object.remove("account_id");
    let event = Event::read(catalog(), body.to_string().as_bytes()).unwrap();
    let json: Value = serde_json::from_str(&event.pushes(&site(catalog()), NOW)[0].json()).unwrap();
    assert_eq!(json["content"]["timezone"], "UTC");
    assert_eq!(json["content"].get("start_time"), None);
    assert_eq!(json["content"]["account_id"], "aC7kPq2XT1eWm9dF0sLbNg");
}

#[test]
fn option_enables_webinar_notifications() {
    let body = webhook("webinar.ended", json!({}));
    assert!(forms(&body, &site(catalog())).is_empty());
    assert_eq!(
        forms(&body, &site_with_option("push_webinars", true)),
        [status("ENDED")]
    );
}

#[test]
fn other_events_are_ignored() {
    for event in [
        "meeting.participant_joined",
        "meeting.created",
        "app_deauthorized",
        "x",
    ] {
        let body = json!({ "event": event, "payload": { "account_id": "a" } }).to_string();
        let read = Event::read(catalog(), body.as_bytes()).unwrap();
        assert!(read.pushes(&site(catalog()), NOW).is_empty());
        assert_eq!(read.known_name(), None);
        assert_eq!(read.alert().is_some(), event == "app_deauthorized");
    }
}

#[test]
fn distinguishes_repeats_from_other_events() {
    let started = webhook("meeting.started", json!({}));
    // v2 changes the order of members and those without a v1 counterpart.
    let again = webhook(
        "meeting.started",
        json!({ "topic": "Other", "id": 98_765_432_101_i64 }),
    );
    assert_eq!(repeat(&started), repeat(&again));
    let mut later = started.clone();
    later["event_ts"] = json!(1);
    assert_ne!(repeat(&started), repeat(&later));
    assert_ne!(
        repeat(&started),
        repeat(&webhook("meeting.ended", json!({})))
    );
    let mut other = started.clone();
    other["payload"]["account_id"] = json!("b");
    assert_ne!(repeat(&started), repeat(&other));
    let joined = |id: &str| {
        let participant = json!({ "participant": { "user_id": id, "user_name": "Ada" } });
        repeat(&webhook("meeting.participant_jbh_joined", participant))
    };
    assert_ne!(joined("1"), joined("2"));
}

#[test]
fn recording_files_identify_repeats() {
    let first = recording();
    let mut again = first.clone();
    again["download_token"] = json!("other");
    again["payload"]["object"]["recording_files"][0]["download_url"] =
        json!("https://example.com/2");
    again["event_ts"] = json!(1);
    assert_eq!(repeat(&first), repeat(&again));
    let files = again["payload"]["object"]["recording_files"]
        .as_array_mut()
        .unwrap();
    files.insert(0, json!({ "id": "another" }));
    assert_ne!(repeat(&first), repeat(&again));
    let more = repeat(&again);
    again["payload"]["object"]["recording_files"]
        .as_array_mut()
        .unwrap()
        .reverse();
    assert_eq!(repeat(&again), more);
}

#[test]
fn option_enables_one_push_for_waiting_attendees() {
    let site = site_with_option("jbh_once", true);
    let repeat = |time: i64| {
        let mut body = webhook("meeting.participant_jbh_waiting", json!({}));
        body["event_ts"] = json!(time);
        let event = Event::read(catalog(), body.to_string().as_bytes()).unwrap();
        event.pushes(&site, NOW).remove(0).repeat
    };
    assert_eq!(repeat(1), repeat(2));
}

#[test]
fn rejects_malformed_webhooks() {
    let read = |body: &str| Event::read(catalog(), body.as_bytes()).map(drop);
    assert_eq!(read("{"), Err(EventError::NotJson));
    assert_eq!(read(&"[".repeat(100_000)), Err(EventError::NotJson));
    assert_eq!(read("{}"), Err(EventError::Missing("/event".to_owned())));
    for (pointer, member) in [
        ("/payload", "account_id"),
        ("/payload/object", "uuid"),
        ("/payload/object", "id"),
        ("/payload/object", "host_id"),
    ] {
        for broken in [json!(null), json!(""), json!({}), json!([1])] {
            let mut body = webhook("meeting.started", json!({}));
            body.pointer_mut(pointer).unwrap()[member] = broken;
            let missing = EventError::Missing(format!("{pointer}/{member}"));
            assert_eq!(read(&body.to_string()), Err(missing));
        }
    }
}

#[test]
fn url_validation_returns_the_token() {
    let body = json!({ "event": "endpoint.url_validation", "payload": { "plainToken": "abc" } });
    let event = |body: &Value| Event::read(catalog(), body.to_string().as_bytes()).unwrap();
    assert_eq!(event(&body).plain_token().as_deref(), Some("abc"));
    let empty = json!({ "event": "endpoint.url_validation" });
    assert_eq!(event(&empty).plain_token().as_deref(), Some(""));
    assert_eq!(
        event(&webhook("meeting.started", json!({}))).plain_token(),
        None
    );
}

#[test]
fn reports_mistakes_in_notifications() {
    let load = |text: &str| {
        let file = ("notification/own.toml".to_owned(), text.to_owned());
        Catalog::with_overrides([file])
            .map(drop)
            .unwrap_err()
            .to_string()
    };
    let wrong = |extra: &str| {
        load(&format!(
            "[[notification]]\nname = \"X\"\nevent = \"x\"\nsummary = \"X.\"\n{extra}\n"
        ))
    };
    let webhook = |needed: &str| {
        load(&format!(
            "[webhook]\nevent = \"/e\"\naccount = \"/a\"\nmeeting = \"/m\"\n\
             needs = [[\"{needed}\", \"y\"]]\nvalidation = \"v\"\nplain_token = \"/p\"\n"
        ))
    };
    insta::assert_snapshot!(
        [
            wrong("view = \"nowhere\""),
            wrong("view = \"started\"\nfidelity = \"lossy\""),
            wrong("view = \"started\"\noption = { no_such = true, jbh_once = 3 }"),
            wrong("view = \"started\"\nrepeats = [\"event_ts\"]"),
            webhook("x"),
            webhook("/x"),
        ]
        .join("\n---\n")
    );
}

#[test]
fn samples_are_started_and_ended() {
    let site = site(catalog());
    let pushes = Event::samples(catalog()).flat_map(|event| event.pushes(&site, NOW));
    let forms: Vec<_> = pushes.map(|push| push.form()).collect();
    let form = |word: &str| {
        format!(
            "id=10000000000&uuid=c2FtcGxlIG9mIHNoaW0hIQ%3D%3D&status={word}\
             &host_id=sampleHostOfTheShim123"
        )
    };
    assert_eq!(forms, [form("STARTED"), form("ENDED")]);
}

#[test]
fn debug_shows_no_content() {
    let body = recording().to_string();
    let event = Event::read(catalog(), body.as_bytes()).unwrap();
    assert_eq!(format!("{event:?}"), "Event(recording.completed)");
    let pushes = event.pushes(&site(catalog()), NOW);
    assert_eq!(format!("{pushes:?}"), "[Push(RECORDING_MEETING_COMPLETED)]");
}
