//! H.323 and SIP devices.

use axum::http::Method;
use end_to_end::{Fault, Stage};
use serde_json::json;

use crate::requests::{PAGE, ask, errors, has, one, success};

const DEVICE: &str = "id:s name:s ip:s protocol_type:n encryption_type:n";

#[tokio::test]
async fn creates_updates_and_deletes_devices() {
    let stage = Stage::start().await;
    let before = success(&stage, "h323/device/list").await;
    has(&before, "", &format!("{PAGE} devices:a"));
    has(&before, "devices[]", DEVICE);
    let second = success(&stage, "h323/device/list page_size=1 page_number=2").await;
    assert_eq!(second["devices"], json!([before["devices"][1]]));

    let made = success(&stage, "h323/device/create name=Attic ip=192.0.2.99").await;
    has(&made, "", DEVICE);
    assert_eq!(
        (&made["protocol_type"], &made["encryption_type"]),
        (&1.into(), &2.into())
    );
    let id = made["id"].as_str().unwrap();

    let update = format!("h323/device/update id={id} ip=192.0.2.100");
    let updated = success(&stage, &update).await;
    has(&updated, "", "id:s updated_at:t");
    let after = success(&stage, "h323/device/list").await;
    let device = one(&after, "devices[]", "id", id);
    let all = json!({ "id": id, "name": "Attic", "ip": "192.0.2.100", "protocol_type": 1, "encryption_type": 2 });
    assert_eq!(*device, all, "what was not given stays");

    let all = "name=Roof ip=192.0.2.3 protocol_type=2 encryption_type=1";
    success(&stage, &format!("h323/device/update id={id} {all}")).await;
    let after = success(&stage, "h323/device/list").await;
    let device = one(&after, "devices[]", "name", "Roof");
    assert_eq!(
        (&device["protocol_type"], &device["encryption_type"]),
        (&2.into(), &1.into())
    );

    let deleted = success(&stage, &format!("h323/device/delete id={id}")).await;
    has(&deleted, "", "id:s deleted_at:t");
    assert_eq!(success(&stage, "h323/device/list").await, before);
}

#[tokio::test]
async fn add_is_create() {
    let stage = Stage::start().await;
    let made = "h323/device/add name=Attic ip=192.0.2.98 protocol_type=2 encryption_type=0";
    let made = success(&stage, made).await;
    has(&made, "", DEVICE);
    assert_eq!(
        (&made["protocol_type"], &made["encryption_type"]),
        (&2.into(), &0.into())
    );
}

#[tokio::test]
async fn rejects_invalid_requests() {
    let stage = Stage::start().await;
    let devices = success(&stage, "h323/device/list").await;
    let id = one(&devices, "devices[]", "name", "Lobby")["id"]
        .as_str()
        .unwrap();
    success(&stage, "h323/device/create name=Attic ip=192.0.2.99").await;
    let taken = "2020 H.323 device display name:Attic is already in use.";
    let unknown = "300 H.323 Device not exist: nothing";
    let all = "name=x ip=192.0.2.3 protocol_type=2 encryption_type=1";
    errors(
        &stage,
        &format!(
            "
            h323/device/create ip=192.0.2.9 => 300 Name is required.
            h323/device/create name=x => 300 Ip is required.
            h323/device/create name=x ip=192.0.2.9 protocol_type=7 => 300 Invalid parameter: protocol_type
            h323/device/create name=Attic ip=192.0.2.9 => {taken}
            h323/device/update id={id} name=Attic => {taken}
            h323/device/update name=x => 300 Id is required.
            h323/device/update id=nothing name=x => {unknown}
            h323/device/update id=nothing {all} => {unknown}
            h323/device/delete id=nothing => {unknown}
            "
        ),
    )
    .await;
    let refused = Fault::Refused(200, json!({ "code": 200, "message": "No room connector." }));
    for method in [Method::GET, Method::POST, Method::DELETE] {
        stage.wire().fail_always(method, "", refused.clone());
    }
    for request in [
        "list",
        "create name=x ip=192.0.2.9",
        &format!("delete id={id}"),
    ] {
        let error = ask(&stage, &format!("h323/device/{request}")).await.error();
        assert_eq!(error, "200 No permission.", "{request}");
    }
}
