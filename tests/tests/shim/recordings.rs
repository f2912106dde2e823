//! Recordings: lists, downloads, deletes.

use end_to_end::Stage;
use serde_json::Value;
use shim_sandbox::SandboxConfig;

use crate::requests::{PAGE, ask, at, day, errors, has, one, success};

const MEETING: &str = "uuid:s meeting_number:n host_id:s account_id:s topic:s start_time:t timezone:s \
                       duration:n total_size:n recording_count:n recording_files:a";
const FILE: &str = "id:s meeting_id:s recording_start:t recording_end:t? file_type:s file_size:n \
                    status:s";

async fn list(stage: &Stage, email: &str, more: &str) -> Value {
    let id = stage.id_of(email).await;
    success(stage, &format!("recording/list host_id={id} {more}")).await
}

const ADA: &str = "ada.lovelace@example.com";
const GRACE: &str = "grace.hopper@example.com";

#[tokio::test]
async fn list_without_dates_shows_all_recordings_newest_first() {
    let stage = Stage::start().await;
    let answer = list(&stage, ADA, "").await;
    has(&answer, "", &format!("{PAGE} meetings:a"));
    has(&answer, "meetings[]", MEETING);
    has(
        &answer,
        "meetings[].recording_files[]",
        &format!("{FILE} download_url:s"),
    );
    let topics: Vec<_> = at(&answer, "meetings[]")
        .iter()
        .map(|meeting| &meeting["topic"])
        .collect();
    // The last one is more than a month old.
    let expected = [
        "Just over",
        "Notes on the Engine",
        "Slash first",
        "Slashes within",
        "Played again",
        "Long ago",
    ];
    assert_eq!(topics, expected);
    let files = &one(&answer, "meetings[]", "topic", "Notes on the Engine")["recording_files"];
    has(files, "", "");
    assert_eq!(files.as_array().unwrap().len(), 2);
    assert!(files[0]["play_url"].is_string(), "{files}");
    let processed = &one(&answer, "meetings[]", "topic", "Just over")["recording_files"][0];
    assert_eq!(processed["recording_end"], "", "still being processed");
}

#[tokio::test]
async fn list_finds_months_pages_and_meetings() {
    let stage = Stage::start().await;
    // One recording every 12 days for two years.
    let page = list(&stage, GRACE, "page_size=10 page_number=6").await;
    assert_eq!(
        (&page["total_records"], &page["page_count"]),
        (&60.into(), &6.into())
    );
    assert_eq!(at(&page, "meetings[]").len(), 10);
    let page = list(&stage, GRACE, "page_size=10 page_number=7").await;
    assert_eq!(
        (&page["total_records"], &page["meetings"]),
        (&60.into(), &serde_json::json!([]))
    );

    let window = format!("from={} to={}", day(60), day(40));
    let old = list(&stage, ADA, &window).await;
    assert_eq!(at(&old, "meetings[]").len(), 1);
    let number = &old["meetings"][0]["meeting_number"];
    let same = list(&stage, ADA, &format!("meeting_number={number}")).await;
    assert_eq!(same["meetings"][0]["uuid"], old["meetings"][0]["uuid"]);
    assert_eq!(same["total_records"], 1);
}

#[tokio::test]
async fn dates_are_read_as_v1_documented_them_in_the_hosts_time_zone() {
    let stage = Stage::start().await;
    let host = stage.id_of(ADA).await;
    let day = day(47);
    let (year, rest) = day.split_at(4);
    let american = format!("{}/{year}", rest[1..].replace('-', "/"));
    let found = async |to: &str| {
        let from = format!("{american} 12:00 am");
        let to = format!("{american} {to}");
        let given = [("host_id", host.as_str()), ("from", &from), ("to", &to)];
        let answer = stage.ask("recording/list", &given).await.success();
        answer["total_records"].as_u64().unwrap()
    };
    // It started at 10:00 UTC; the host is in London.
    assert_eq!(found("11:59 pm").await, 1);
    assert_eq!(found("08:00 am").await, 0);
}

#[tokio::test]
async fn get_finds_numbers_and_ids_with_slashes() {
    let stage = Stage::start().await;
    for uuid in ["/3ZtQWfBRtGkq8X1uV9sHw==", "Kf7//mYbSAaQx2ePz0LrDg=="] {
        let recording = success(&stage, &format!("recording/get meeting_id={uuid}")).await;
        has(&recording, "", MEETING);
        has(
            &recording,
            "recording_files[]",
            &format!("{FILE} download_url:s"),
        );
        assert_eq!(recording["uuid"], uuid);
        let number = &recording["meeting_number"];
        let same = success(&stage, &format!("recording/get meeting_id={number}")).await;
        assert_eq!(same["uuid"], uuid);
    }
}

#[tokio::test]
async fn files_can_be_downloaded_by_their_url_alone() {
    let stage = Stage::start().await;
    let recordings = list(&stage, ADA, "").await;
    let files = &one(&recordings, "meetings[]", "topic", "Notes on the Engine")["recording_files"];
    for file in files.as_array().unwrap() {
        let url = file["download_url"].as_str().unwrap();
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 200);
        let bytes = answer.bytes().await.unwrap();
        assert_eq!(
            Some(bytes.len() as u64),
            file["file_size"].as_u64(),
            "{url}"
        );
    }
    let plain = Stage::with(
        SandboxConfig::default(),
        "[options]\nrecording_downloads = \"plain\"",
    )
    .await;
    let recordings = list(&plain, ADA, "").await;
    for file in at(&recordings, "meetings[].recording_files[]") {
        assert!(
            !file["download_url"].as_str().unwrap().contains('?'),
            "{file}"
        );
    }
}

#[tokio::test]
async fn list_of_meeting_connectors_has_paths_in_place_of_urls() {
    let stage = Stage::start().await;
    let id = stage.id_of(ADA).await;
    let answer = success(&stage, &format!("mc/recording/list host_id={id}")).await;
    has(&answer, "", &format!("{PAGE} meetings:a"));
    has(&answer, "meetings[]", MEETING);
    has(
        &answer,
        "meetings[].recording_files[]",
        &format!("{FILE} file_path:s"),
    );
    assert_eq!(answer["total_records"], 1);
    let grace = stage.id_of(GRACE).await;
    let none = success(&stage, &format!("mc/recording/list host_id={grace}")).await;
    assert_eq!(
        (&none["total_records"], &none["meetings"]),
        (&0.into(), &serde_json::json!([]))
    );
}

#[tokio::test]
async fn delete_removes_one_file_or_all() {
    let stage = Stage::start().await;
    let recordings = list(&stage, ADA, "").await;
    let meeting = one(&recordings, "meetings[]", "topic", "Notes on the Engine");
    let uuid = meeting["uuid"].as_str().unwrap();
    let file = meeting["recording_files"][0]["id"].as_str().unwrap();
    let deleted = success(
        &stage,
        &format!("recording/delete meeting_id={uuid} file_id={file}"),
    )
    .await;
    has(&deleted, "", "id:s deleted_at:t");
    assert_eq!(deleted["id"], uuid);
    let rest = success(&stage, &format!("recording/get meeting_id={uuid}")).await;
    assert_eq!(at(&rest, "recording_files[]").len(), 1);
    assert_ne!(rest["recording_files"][0]["id"], file);

    success(&stage, &format!("recording/delete meeting_id={uuid}")).await;
    let gone = "3301 There is no recording for this meeting.";
    errors(
        &stage,
        &format!(
            "
            recording/get meeting_id={uuid} => {gone}
            recording/delete meeting_id={uuid} => {gone}
            "
        ),
    )
    .await;
    assert_eq!(list(&stage, ADA, "").await["total_records"], 5);
}

#[tokio::test]
async fn rejects_invalid_requests() {
    let stage = Stage::start().await;
    let gone = "3301 There is no recording for this meeting.";
    let (uncompleted, simulive) = ("pRo2mYbSAaQx2ePz0LrDgQ==", "sIm2mYbSAaQx2ePz0LrDgQ==");
    errors(
        &stage,
        &format!(
            "
            recording/get => 300 Meeting_id is required.
            recording/delete file_id=x => 300 Meeting_id is required.
            recording/list => 300 Host_id is required.
            mc/recording/list host_id= => 300 Host_id is required.
            recording/get meeting_id=nobody => {gone}
            recording/delete meeting_id=nobody => {gone}
            recording/list host_id=nobody => 1001 User not exist: nobody
            mc/recording/list host_id=nobody => 1001 User not exist: nobody
            recording/delete meeting_id={uncompleted} file_id=x => 3303 You can not delete an uncompleted meeting.
            recording/delete meeting_id={simulive} => 3310 This recording was selected for a simulive webinar. You cannot delete or trash it.
            "
        ),
    )
    .await;
    let answer = ask(
        &stage,
        "recording/list host_id=x from=2020-01-02 to=2020-01-01",
    )
    .await;
    assert_eq!(answer.error(), "300 Invalid parameter: from");
}
