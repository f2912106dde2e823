//! The dashboard: meetings, webinars, quality, sharing, ports, chat counts and Zoom Rooms.

use axum::http::Method;
use end_to_end::{Fault, Stage};
use serde_json::{Value, json};

use crate::requests::{PAGE, ask, at, errors, has, month, one, success};

const MEETING: &str = "uuid:s id:n host:s email:s user_type:s start_time:t end_time:t? \
                       has_pstn:b has_voip:b has_3rd_party_audio:b has_video:b has_screen_share:b \
                       recording:n";
const PARTICIPANT: &str = "id:s user_id:s user_name:s device:s ip_address:s cn:s city:s \
                           network_type:s join_time:t leave_time:t? share_application:b \
                           share_desktop:b share_whiteboard:b recording:b";
const SOUND: &str = "bitrate:s latency:s jitter:s avg_loss:s max_loss:s";
const PICTURE: &str =
    "bitrate:s latency:s jitter:s avg_loss:s max_loss:s resolution:s frame_rate:s";
const ROOM: &str = "id:s room_name:s email:s account_type:s passcode:s status:s messages:o \
                    meeting_id:s";
const MESSAGES: &str = "last_started_time:t running_time:s selected_microphone:s \
                        selected_speaker:s selected_camera:s";

/// Running (1) or past (2) meetings or webinars of the last month.
async fn list(stage: &Stage, operation: &str, kind: u8) -> Value {
    success(
        stage,
        &format!("metrics/{operation} type={kind} {}", month()),
    )
    .await
}

#[tokio::test]
async fn lists_and_details_of_meetings_and_webinars() {
    let stage = Stage::start().await;
    for (operation, detail, kind, name) in [
        ("meetings", "meetingdetail", 1, "Live Meeting"),
        ("meetings", "meetingdetail", 2, "Past Meeting"),
        ("webinars", "webinardetail", 1, "Live Webinar"),
        ("webinars", "webinardetail", 2, "Past Webinar"),
    ] {
        let found = list(&stage, operation, kind).await;
        has(&found, "", &format!("{PAGE} from:d to:d type:s meetings:a"));
        has(
            &found,
            "meetings[]",
            &format!("{MEETING} duration:s participants:n"),
        );
        assert_eq!(found["type"], format!("{name}s"));
        let meeting = &found["meetings"][0];
        assert_eq!(meeting["end_time"] == "", kind == 1, "{meeting}");

        let uuid = meeting["uuid"].as_str().unwrap();
        let shown = success(
            &stage,
            &format!("metrics/{detail} type={kind} meeting_id={uuid}"),
        )
        .await;
        has(
            &shown,
            "",
            "page_count:n page_number:n page_size:n type:s participants_count:n",
        );
        has(&shown, "", MEETING);
        assert_eq!(shown["duration"].is_null(), kind == 1, "{shown}");
        has(&shown, "participants[]", PARTICIPANT);
        assert_eq!(shown["type"], name);
        assert_eq!(
            shown["participants_count"],
            at(&shown, "participants[]").len()
        );
    }
    for operation in ["meetings", "webinars"] {
        let today = success(&stage, &format!("metrics/{operation} type=1")).await;
        assert_eq!(today["from"], today["to"]);
        assert_eq!(
            today["meetings"],
            list(&stage, operation, 1).await["meetings"]
        );
    }
    let alone = list(&stage, "meetings", 3).await;
    assert_eq!(
        (
            &alone["total_records"],
            &alone["meetings"][0]["participants"]
        ),
        (&1.into(), &1.into())
    );
}

#[tokio::test]
async fn the_running_meeting_is_also_one_of_its_host() {
    let stage = Stage::start().await;
    let live = list(&stage, "meetings", 1).await;
    let number = &live["meetings"][0]["id"];
    let host = stage.id_of("grace.hopper@example.com").await;
    let meeting = success(&stage, &format!("meeting/get id={number} host_id={host}")).await;
    assert_eq!(meeting["id"], *number);
}

#[tokio::test]
async fn lists_and_participants_have_pages() {
    let stage = Stage::start().await;
    let whole = success(
        &stage,
        &format!("metrics/meetings type=2 {} page_size=20", month()),
    )
    .await;
    let page = format!(
        "metrics/meetings type=2 {} page_size=5 page_number=3",
        month()
    );
    let page = success(&stage, &page).await;
    assert_eq!(
        page["meetings"],
        json!(whole["meetings"].as_array().unwrap()[10..15])
    );
    assert_eq!(page["total_records"], whole["total_records"]);

    let uuid = whole["meetings"][0]["uuid"].as_str().unwrap();
    let detail = format!("metrics/meetingdetail type=2 meeting_id={uuid}");
    let whole = success(&stage, &detail).await;
    let page = success(&stage, &format!("{detail} page_size=4 page_number=2")).await;
    assert_eq!(
        page["participants"],
        json!(whole["participants"].as_array().unwrap()[4..8])
    );
    assert_eq!(page["participants_count"], whole["participants_count"]);
}

/// Fields of the samples below a path.
fn has_samples(answer: &Value, path: &str) {
    has(answer, path, "dateTime:t");
    for (names, members) in [
        ("audio_input audio_output", SOUND),
        ("video_input video_output as_input as_output", PICTURE),
        (
            "cpu_usage",
            "zoom_min_cpu_usage:s zoom_avg_cpu_usage:s zoom_max_cpu_usage:s system_max_cpu_usage:s",
        ),
    ] {
        for name in names.split(' ') {
            has(answer, &format!("{path}.{name}"), members);
        }
    }
}

#[tokio::test]
async fn qos_of_one_participant_and_of_all() {
    let stage = Stage::start().await;
    let past = list(&stage, "meetings", 2).await;
    let uuid = past["meetings"][0]["uuid"].as_str().unwrap();
    let qos = format!("metrics/qos type=2 meeting_id={uuid}");
    let person = "user_id:s device:s ip_address:s cn:s city:s version:s user_qos:a";

    let all = success(&stage, &qos).await;
    has(
        &all,
        "",
        &format!("{PAGE} meeting_id:s type:s participants:a"),
    );
    has(&all, "participants[]", &format!("{person} user_name:s"));
    has_samples(&all, "participants[].user_qos[]");
    assert_eq!(at(&all, "participants[]").len(), 10, "v2's largest page");
    let page = success(&stage, &format!("{qos} page_size=3 page_number=2")).await;
    assert_eq!(
        page["participants"],
        json!(all["participants"].as_array().unwrap()[3..6])
    );

    let who = all["participants"][1]["user_id"].as_str().unwrap();
    let one = success(&stage, &format!("{qos} user_id={who}")).await;
    has(&one, "", &format!("meeting_id:s type:s {person}"));
    has_samples(&one, "user_qos[]");
    assert_eq!(one["user_id"], who);
    assert_eq!(one["user_qos"], all["participants"][1]["user_qos"]);
}

#[tokio::test]
async fn sharerecorddetail_of_past_and_running_meetings() {
    let stage = Stage::start().await;
    for kind in [1, 2] {
        let found = list(&stage, "meetings", kind).await;
        let uuid = found["meetings"][0]["uuid"].as_str().unwrap();
        let shared = success(
            &stage,
            &format!("metrics/sharerecorddetail meeting_id={uuid}"),
        )
        .await;
        has(&shared, "", &format!("{PAGE} participants:a"));
        has(
            &shared,
            "participants[]",
            "id:s user_id:s user_name:s details:a",
        );
        has(
            &shared,
            "participants[].details[]",
            "content:s start_time:t end_time:t",
        );
        let second =
            format!("metrics/sharerecorddetail meeting_id={uuid} page_size=1 page_number=2");
        let second = success(&stage, &second).await;
        assert_eq!(second["participants"], json!([shared["participants"][1]]));
    }
}

#[tokio::test]
async fn crc_shows_ports_hour_by_hour() {
    let stage = Stage::start().await;
    let ports = success(&stage, &format!("metrics/crc {}", month())).await;
    has(&ports, "", "from:d to:d crc_ports_usage:a");
    has(
        &ports,
        "crc_ports_usage[]",
        "date_time:d crc_ports_hour_usage:a",
    );
    let hours = "crc_ports_usage[].crc_ports_hour_usage[]";
    has(&ports, hours, "hour:s max_usage:n total_usage:n");
    assert_eq!(
        at(&ports, hours).len(),
        24 * at(&ports, "crc_ports_usage[]").len()
    );
}

#[tokio::test]
async fn im_counts_messages_and_users() {
    let stage = Stage::start().await;
    let counts = success(&stage, &format!("metrics/im {}", month())).await;
    has(&counts, "", &format!("{PAGE} from:d to:d users:a"));
    let user = "user_id:s user_name:s email:s total_send:n total_receive:n group_send:n \
                group_receive:n calls_send:n calls_receive:n files_send:n files_receive:n \
                images_send:n images_receive:n voice_send:n voice_receive:n videos_send:n \
                videos_receive:n emoji_send:n emoji_receive:n";
    has(&counts, "users[]", user);
    let page = success(
        &stage,
        &format!("metrics/im {} page_size=5 page_number=2", month()),
    )
    .await;
    assert_eq!(
        page["users"],
        json!(counts["users"].as_array().unwrap()[5..10])
    );
    assert_eq!(page["total_records"], counts["total_records"]);
}

#[tokio::test]
async fn zoom_rooms_with_and_without_meetings() {
    let stage = Stage::start().await;
    let rooms = success(&stage, "metrics/zoomrooms").await;
    has(&rooms, "", &format!("{PAGE} zoom_rooms:a"));
    has(&rooms, "zoom_rooms[]", ROOM);
    has(&rooms, "zoom_rooms[].messages", MESSAGES);
    let second = success(&stage, "metrics/zoomrooms page_size=1 page_number=2").await;
    assert_eq!(second["zoom_rooms"], json!([rooms["zoom_rooms"][1]]));

    let detail = async |name: &str, more: &str| {
        let id = one(&rooms, "zoom_rooms[]", "room_name", name)["id"]
            .as_str()
            .unwrap();
        let detail = format!("metrics/zoomroomdetail id={id} {} {more}", month());
        success(&stage, &detail).await
    };
    let meeting = format!("{MEETING} duration:s participants:n");
    let used = detail("Babbage", "").await;
    has(&used, "", &format!("{PAGE} from:d to:d past_meetings:a"));
    has(&used, "zoom_room", ROOM);
    has(&used, "zoom_room.messages", MESSAGES);
    has(&used, "live_meeting", &meeting);
    has(&used, "past_meetings[]", &meeting);
    assert_eq!(
        used["zoom_room"]["meeting_id"],
        used["live_meeting"]["uuid"]
    );
    let page = detail("Babbage", "page_size=2 page_number=2").await;
    assert_eq!(
        page["past_meetings"],
        json!(used["past_meetings"].as_array().unwrap()[2..4])
    );

    let unused = detail("Empty", "").await;
    assert_eq!(
        (&unused["total_records"], &unused["past_meetings"]),
        (&0.into(), &json!([]))
    );
    let nothing = meeting.replace("start_time:t ", "start_time:s ");
    has(&unused, "live_meeting", &nothing);
    assert_eq!(unused["live_meeting"]["uuid"], "");
}

#[tokio::test]
async fn rejects_invalid_requests() {
    let stage = Stage::start().await;
    let month = month();
    let unknown = "3001 Meeting nothing not found or has expired.";
    let past = list(&stage, "meetings", 2).await;
    let uuid = past["meetings"][0]["uuid"].as_str().unwrap();
    errors(
        &stage,
        &format!(
            "
            metrics/meetings from=2026-01-01 to=2026-01-02 => 300 Type is required.
            metrics/meetings type=9 {month} => 300 Invalid parameter: type
            metrics/webinars type=4 {month} => 300 Invalid parameter: type
            metrics/crc from=2026-01-01 => 300 To is required.
            metrics/im to=2026-01-01 => 300 From is required.
            metrics/qos type=2 => 300 Meeting_id is required.
            metrics/meetingdetail type=2 meeting_id=nothing => {unknown}
            metrics/webinardetail type=2 meeting_id=nothing => {unknown}
            metrics/qos type=2 meeting_id=nothing => {unknown}
            metrics/qos type=2 meeting_id=nothing user_id=1 => {unknown}
            metrics/sharerecorddetail meeting_id=nothing => {unknown}
            metrics/qos type=2 meeting_id={uuid} user_id=1 => 3001 Meeting {uuid} not found or has expired.
            metrics/meetingdetail type=2 meeting_id=yEa2mYbSAaQx2ePz0LrDgQ== => 12702 Can not access a meeting a year ago.
            metrics/zoomroomdetail id=nothing {month} => 3001 Zoom Room does not exist: nothing.
            metrics/zoomroomdetail id=issues {month} => 300 Invalid parameter: id
            "
        ),
    )
    .await;
}

#[tokio::test]
async fn reports_missing_dashboard() {
    let stage = Stage::start().await;
    let text = "This API is only available for ZMP and Business or higher accounts that have enabled the Dashboard feature.";
    let missing = Fault::Refused(400, json!({ "code": 400, "message": text }));
    stage.wire().fail_always(Method::GET, "", missing);
    for request in [
        format!("metrics/meetings type=2 {}", month()),
        format!("metrics/webinars type=1 {}", month()),
        "metrics/meetingdetail type=2 meeting_id=x".to_owned(),
        "metrics/webinardetail type=2 meeting_id=x".to_owned(),
        "metrics/qos type=2 meeting_id=x".to_owned(),
        "metrics/sharerecorddetail meeting_id=x".to_owned(),
        format!("metrics/crc {}", month()),
        format!("metrics/im {}", month()),
        "metrics/zoomrooms".to_owned(),
        format!("metrics/zoomroomdetail id=x {}", month()),
    ] {
        let error = ask(&stage, &request).await.error();
        assert_eq!(error, format!("200 {text}"), "{request}");
    }
}
