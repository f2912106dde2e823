//! Errors that v2 can return for every call: an invalid token or a missing scope.

use axum::http::Method;
use end_to_end::{CHAT_TOKEN, Fault, Stage};
use serde_json::json;
use shim_sandbox::SandboxConfig;

use crate::requests::{ask, month};

/// A request of each operation that calls v2.
#[expect(clippy::too_many_lines, reason = "one entry for each operation")]
fn requests() -> Vec<String> {
    let (month, chat) = (month(), format!("access_token={CHAT_TOKEN} {}", month()));
    let new = "first_name=N last_name=W";
    let billed = "phone_number=5 address=A city=X country=US state=CA zip=9";
    let mut requests: Vec<String> = [
        "recording/get meeting_id=x",
        "recording/delete meeting_id=x",
        "recording/list host_id=x",
        "mc/recording/list host_id=x",
        "report/getdailyreport year=2026 month=1",
        "metrics/meetingdetail type=2 meeting_id=x",
        "metrics/webinardetail type=2 meeting_id=x",
        "metrics/qos type=2 meeting_id=x",
        "metrics/sharerecorddetail meeting_id=x",
        "metrics/zoomrooms",
        "h323/device/list",
        "h323/device/create name=x ip=192.0.2.1",
        "h323/device/update id=x name=y",
        "h323/device/delete id=x",
        "ma/account/list",
        "ma/account/get account_id=x",
        "ma/account/update account_id=x enable_share_rc=true",
        "ma/account/delete account_id=x",
        "ma/account/plan/get account_id=x",
        "ma/account/plan/add account_id=x plan=y",
        "ma/account/plan/update account_id=x type=1 plan=y",
        "ma/account/billing/update account_id=x city=y",
    ]
    .map(str::to_owned)
    .into();
    requests.extend([
        format!("report/getaccountreport {month}"),
        format!("report/getaudioreport {month}"),
        format!("report/getuserreport user_id=x {month}"),
        format!("metrics/meetings type=1 {month}"),
        format!("metrics/webinars type=1 {month}"),
        format!("metrics/crc {month}"),
        format!("metrics/im {month}"),
        format!("metrics/zoomroomdetail id=x {month}"),
        format!("chat/list {chat}"),
        format!("chat/get session_id=x {chat}"),
        format!("ma/account/create email=x@example.com password=Analytical4Engine {new}"),
        format!("ma/account/plan/subscribe account_id=x plan_base=y {new} {billed}"),
    ]);
    let of = |area: &str, given: &str, operations: &[&str]| {
        let operations = operations.iter();
        let requests = operations.map(|operation| format!("{area}/{operation} {given}"));
        requests.collect::<Vec<_>>()
    };
    let (host, person) = ("id=91234567890 host_id=x", "first_name=X last_name=Y");
    let shared = ["get", "update topic=T", "delete", "end"];
    for (area, kind) in [("meeting", 2), ("webinar", 5)] {
        requests.extend(of(area, host, &shared));
        requests.extend([
            format!("{area}/create host_id=x type={kind} topic=T"),
            format!("{area}/list host_id=x"),
            format!("{area}/register id=91234567890 email=x@example.net {person}"),
        ]);
    }
    requests.extend([
        "meeting/live".to_owned(),
        "webinar/list/registration host_id=x".to_owned(),
    ]);
    let past = ["uuid/list", "attendees/list", "polls", "questions"];
    let registered = ["registration", "registrants/list", "panelists"];
    let ids = [
        "registrants/approve registrant_ids=y",
        "registration/cancel registrant_ids=y",
    ];
    requests.extend(of(
        "webinar",
        host,
        &[past.as_slice(), &registered, &ids].concat(),
    ));
    let reads = [
        "get",
        "scheduleforhost/list",
        "revoketoken",
        "delete",
        "permanentdelete",
    ];
    let writes = [
        "update first_name=X",
        "updatepassword password=Analytical4Engine",
        "uploadpicture pic_file=x",
        "activate",
        "deactivate",
        "assistant/set assistant_email=y@example.com",
        "assistant/delete assistant_email=y@example.com",
    ];
    requests.extend(of("user", "id=x", &[reads.as_slice(), &writes].concat()));
    let creates = [
        "create",
        "autocreate",
        "autocreate2",
        "custcreate",
        "ssocreate",
    ];
    let new = "email=x@example.com type=2 password=Analytical4Engine";
    requests.extend(of("user", new, &creates));
    let found = ["getbyemail", "checkemail"];
    requests.extend(of("user", "email=x@example.com", &found));
    requests.extend(["user/list".to_owned(), "user/pending".to_owned()]);
    for group in ["group", "im/group"] {
        let operations = [
            "list",
            "get id=x",
            "create name=x",
            "edit id=x name=y",
            "delete id=x",
            "member/list id=x",
            "member/add id=x member_ids=y",
            "member/delete id=x member_ids=y",
        ];
        requests.extend(operations.map(|operation| format!("{group}/{operation}")));
    }
    requests
}

async fn check(status: u16, code: i64) {
    let on = "[options]\nplan_writes = true";
    let stage = Stage::with(SandboxConfig::default(), on).await;
    let refused = Fault::Refused(status, json!({ "code": code, "message": "Secret scope." }));
    for method in [
        Method::GET,
        Method::POST,
        Method::PATCH,
        Method::PUT,
        Method::DELETE,
    ] {
        stage.wire().fail_always(method, "", refused.clone());
    }
    for request in requests() {
        let error = ask(&stage, &request).await.error();
        assert_eq!(error, "200 No permission.", "{request}");
    }
}

#[tokio::test]
async fn missing_scope_returns_no_permission() {
    check(400, 4711).await;
}

#[tokio::test]
async fn rejected_token_returns_no_permission() {
    check(401, 124).await;
}

#[test]
fn covers_all_operations() {
    let catalog = mappings::Catalog::embedded().unwrap();
    let requests = requests();
    let asked: Vec<_> = requests
        .iter()
        .map(|request| request.split(' ').next().unwrap())
        .collect();
    let operations = catalog.operations().iter();
    // No zpk can exist, so v2 is not called.
    let operations = operations.filter(|operation| operation.name != "user/checkzpk");
    for operation in operations {
        let name = operation.name.as_str();
        assert!(asked.contains(&name), "{name}");
    }
}
